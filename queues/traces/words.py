"""Signals in a few words each, as the pages of a tenant's traffic show them."""

from typing import Final

from queues.models import Signal

Type = Signal.Type
FULL_RATING: Final = 5


def said(kind: str, value: float | None, reason: str) -> str:
    """What a signal says: "Rated 2 of 5", "Missed the point", "Edited, 34% of it"."""
    if kind == Type.USER_RATING and value is not None:
        return f"Rated {value:g} of {FULL_RATING}"
    if kind == Type.USER_REASON and reason:
        return str(Signal.Reason(reason).label) if reason in Signal.Reason.values else reason
    if kind in (Type.USER_EDIT, Type.COPY_EDIT) and value is not None:
        share = f"{value:.0%}" if value >= 0.005 else "under 1%"
        return f"Edited, {share} of it" if kind == Type.USER_EDIT else f"Copied and changed, {share} of it"
    if kind == Type.DWELL and value is not None:
        return f"Looked at it for {value:.0f} s"
    return str(Type(kind).label) if kind in Type.values else kind
