"""Language tags of people, in their usual spelling."""

from collections.abc import Iterable

import langcodes


def tags(given: Iterable[str]) -> list[str]:
    """Each tag once, in its usual spelling, sorted. ValueError with a sentence on a tag that means no language."""
    found = set()
    for tag in given:
        if not langcodes.tag_is_valid(tag):
            raise ValueError(f"“{tag}” is not a language tag: write en, de or pt-BR.")
        found.add(langcodes.standardize_tag(tag))
    return sorted(found)
