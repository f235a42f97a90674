import factory
from factory.django import DjangoModelFactory
from guardian.shortcuts import assign_perm

from hitl.models import Tenant, User

PASSWORD = "correct horse battery staple"


class TenantFactory(DjangoModelFactory):
    class Meta:
        model = Tenant
        django_get_or_create = ("slug",)

    slug = factory.Sequence(lambda n: f"tenant-{n}")
    name = factory.LazyAttribute(lambda o: o.slug.title())


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person-{n}@example.org")
    name = factory.Sequence(lambda n: f"Person {n}")
    languages = ["en"]


def grant(user, permission, *objects):
    """Grants the permission (`review_queue`, `lead_tenant`, …) on each object."""
    for thing in objects:
        assign_perm(permission, user, thing)
    return user
