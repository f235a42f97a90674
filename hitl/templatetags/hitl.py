"""Filters that every template has without loading them."""

import math

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.safestring import SafeString

from hitl import rendering

register = template.Library()

NOTHING = "–"


@register.filter
@stringfilter
def markdown(text: str) -> SafeString:
    """What a model wrote in Markdown, as safe HTML."""
    return rendering.markdown(text)


@register.filter
@stringfilter
def plain(text: str) -> SafeString:
    """What anyone wrote, as it is, with invisible characters shown."""
    return rendering.plain(text)


@register.filter
def percent(value: float | None, places: int = 0) -> str:
    """A share between 0 and 1 as a percentage; a dash where there is none."""
    if value is None or value == "" or not math.isfinite(value):
        return NOTHING
    return f"{value * 100:.{int(places)}f}%"


@register.filter
def thousands(value: int | None) -> str:
    """A whole number with its thousands set apart; a dash where there is none."""
    return NOTHING if value is None or value == "" else f"{int(value):,}"
