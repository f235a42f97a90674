import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from codebook.models import Category, Codebook, QueueCodebook, Version
from tests.factories.hitl import UserFactory

KEYS = ("hallucination", "unsupported-claim", "wrong-source", "tone")


class CodebookFactory(DjangoModelFactory):
    class Meta:
        model = Codebook

    slug = factory.Sequence(lambda n: f"codebook-{n}")
    title = "Support answers"
    owner = factory.SubFactory(UserFactory)


def published(queue=None, *, codebook=None, keys=KEYS):
    """A published version with these categories, used by the queue if one is given."""
    codebook = codebook or CodebookFactory()
    number = codebook.versions.count() + 1
    version = Version.objects.create(codebook=codebook, number=number)
    for position, key in enumerate(keys, 1):
        Category.objects.create(version=version, key=key, title=key.replace("-", " ").title(), position=position)
    version.state, version.published_at, version.published_by = "published", timezone.now(), codebook.owner
    version.content_hash = f"{number:064d}"
    version.save()
    if queue:
        QueueCodebook.objects.update_or_create(queue=queue, defaults={"codebook": codebook})
    return version
