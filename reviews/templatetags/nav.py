"""The way round the house: of all rooms, those that the person has something to do in."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.db.models import Value
from django.urls import NoReverseMatch, reverse
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from codebook.models import Codebook
from hitl.models import Tenant, User
from queues.models import Queue
from queues.templatetags.traces_tabs import TABS

register = template.Library()

EVERYTHING = frozenset({"review_queue", "lead_queue", "lead_tenant", "read_codebook", "administrator"})
# Words, URL name, and the permissions that bring a person there (any of them).
PLACES = (
    ("Review", "review", {"review_queue", "lead_queue"}),
    ("Decisions", "decisions", {"review_queue", "lead_queue"}),
    ("Queues", "queues", {"lead_queue"}),
    ("Codebook", "codebooks", {"read_codebook", "review_queue", "lead_queue"}),
    ("Traces", "traces_home", {"lead_tenant"}),
    ("Tenants", "tenants", {"lead_tenant"}),
    ("Audit", "audit", {"lead_queue", "lead_tenant"}),
    ("People", "people", {"administrator"}),
)
# Pages of a tenant's traffic say which of their tabs is open: they lie under the tenant's address.
TRAFFIC = frozenset(name for _, name in TABS)


@dataclass(frozen=True)
class Place:
    words: str
    url: str
    is_here: bool


@register.simple_tag(takes_context=True)
def main_nav(context: dict[str, Any]) -> list[Place]:
    """The places for the person of this request: at most one statement a page, none for an administrator."""
    request = context["request"]
    if not hasattr(request, "main_nav"):
        has = may(request.user)
        places = [(words, url) for words, name, wanted in PLACES if has & wanted and (url := _url(name))]
        here = _url("traces_home") if context.get("here") in TRAFFIC else request.path
        request.main_nav = [Place(words, url, here.startswith(url)) for words, url in places]
    places_here: list[Place] = request.main_nav
    return places_here


def may(user: User) -> frozenset[str]:
    """What the person may do on anything at all, by the names of the permissions."""
    if not user.is_authenticated:
        return frozenset()
    if user.is_superuser:
        return EVERYTHING
    tables: list[Any] = []
    for model in (Tenant, Queue, Codebook):
        tables.append(get_user_obj_perms_model(model).objects.filter(user=user))  # type: ignore[arg-type, attr-defined]
        tables.append(get_group_obj_perms_model(model).objects.filter(group__user=user))  # type: ignore[arg-type, attr-defined]
    owned = Codebook.objects.filter(owner=user).values_list(Value("read_codebook"))
    return frozenset(name for (name,) in owned.union(*(table.values_list("permission__codename") for table in tables)))


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
