"""A share with its denominator and its uncertainty, in words."""

from django import template

from hitl.statistics import Interval

register = template.Library()


@register.filter
def share(interval: Interval | None) -> str:
    """ "3 of 41, 7% (95%: 3% to 19%)"; said in words where nothing was counted."""
    if interval is None:
        return "cannot be said yet: no case of it was read"
    count = round(interval.share * interval.n)
    return f"{count} of {interval.n}, {interval.share:.0%} (95%: {interval.low:.0%} to {interval.high:.0%})"
