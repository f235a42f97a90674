"""The pages of a tenant's traffic, as tabs. All are for those who run the tenant."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from hitl.models import Tenant

register = template.Library()

# Words and URL name; some of these pages lie in rooms above.
TABS = (
    ("Traces", "traces"),
    ("Signals", "signal_weights"),
    ("Sampling", "sampling"),
    ("What it found", "sampling_yield"),
    ("Estimates", "estimates"),
    ("Complaints", "complaints"),
    ("Consent", "consent"),
    ("Scrubbing", "scrubbing"),
    ("Intake", "intake_settings"),
    ("Other tools", "foreign_tools"),
)


@dataclass(frozen=True)
class Tab:
    words: str
    url: str
    is_here: bool


@register.inclusion_tag("traces/_tabs.html")
def traces_tabs(tenant: Tenant, here: str) -> dict[str, Any]:
    """`here` is the URL name of the tab that is open."""
    return {
        "tabs": [Tab(words, url, name == here) for words, name in TABS if (url := _url(name, tenant.slug))],
        "tenant": tenant,
    }


def _url(name: str, slug: str) -> str:
    try:
        return reverse(name, args=[slug])
    except NoReverseMatch:
        return ""
