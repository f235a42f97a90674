"""The pages of a codebook, as tabs: those that the person may open."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from codebook.models import Codebook
from hitl.models import User

register = template.Library()

# Words, URL name, and whether it is for the owner alone.
TABS = (
    ("Rubric", "codebook", False),
    ("Draft", "codebook_draft", False),
    ("Versions", "codebook_versions", False),
    ("Quarantine", "codebook_standing", False),
    ("Batches", "codebook_batches", False),
    ("Agreement", "codebook_agreement", False),
    ("Disagreements", "codebook_disagreements", True),
    ("Spot checks", "codebook_spot_checks", True),
    ("Alignment", "codebook_alignments", False),
    ("Error analysis", "codebook_failures", True),
    ("Reviewers", "codebook_drift", True),
    ("Judges", "codebook_judges", False),
)


@dataclass(frozen=True)
class Tab:
    words: str
    url: str
    is_here: bool


@register.inclusion_tag("codebook/_tabs.html")
def codebook_tabs(codebook: Codebook, user: User, here: str) -> dict[str, Any]:
    """`here` is the URL name of the tab that is open."""
    tabs = [
        Tab(words, url, name == here)
        for words, name, owners in TABS
        if (not owners or codebook.owner_id == user.pk) and (url := _url(name, codebook.slug))
    ]
    return {"tabs": tabs, "codebook": codebook}


def _url(name: str, slug: str) -> str:
    try:
        return reverse(name, args=[slug])
    except NoReverseMatch:
        return ""
