"""Times as people say them, beside the moment that the page was made."""

from datetime import datetime

from django import template

from queues import sla

register = template.Library()


@register.filter
def left_at(due: datetime | None, now: datetime) -> str:
    """ "41 min left", "overdue by 2 h"; nothing without a deadline."""
    return "" if due is None else sla.time_left_words(due, now)


@register.filter
def age_at(since: datetime | None, now: datetime) -> str:
    """ "41 min", "3 days"; nothing where there is no beginning."""
    return "" if since is None else sla.duration_words(now - since)
