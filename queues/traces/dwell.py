"""How long users usually stay on answers of a topic: what a dwell signal is held against."""

from collections.abc import Iterable

from hitl.models import Tenant
from queues.models import TopicDwell


def medians(tenant: Tenant, topics: Iterable[str]) -> dict[str, float]:
    """The median in seconds of those topics that have one."""
    return dict(
        TopicDwell.objects.filter(tenant=tenant, topic__in=set(topics)).values_list("topic", "median").iterator()
    )
