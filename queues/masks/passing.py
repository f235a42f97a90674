"""What the scrub took out of texts that are on their way in, held in memory until their rows are stored.

Texts are scrubbed in one place and stored in another, often in a thread that must not use the database. Only what
stands in a row that was stored may go into a vault: what was refused leaves nothing. So the values wait here, a bounded
number of them, and go with the first row of a tenant that keeps no vault.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import NamedTuple

MOST = 50_000


class Taken(NamedTuple):
    """A value in clear as it was first written, and its kind."""

    kind: str
    value: str


_waiting: dict[int, OrderedDict[str, Taken]] = {}
_lock = Lock()


def remember(tenant_id: int, taken: Mapping[str, Taken]) -> None:
    """Values by the token that stands for each; the oldest are let go where there are too many."""
    with _lock:
        waiting = _waiting.setdefault(tenant_id, OrderedDict())
        for token, one in taken.items():
            waiting.setdefault(token, one)
            waiting.move_to_end(token)
        while len(waiting) > MOST:
            waiting.popitem(last=False)


def has(tenant_id: int) -> bool:
    return tenant_id in _waiting


def among(tenant_id: int, tokens: Iterable[str]) -> dict[str, Taken]:
    """Those of the tokens whose value is here."""
    with _lock:
        waiting = _waiting.get(tenant_id, OrderedDict())
        return {token: waiting[token] for token in tokens if token in waiting}


def forget(tenant_id: int) -> None:
    with _lock:
        _waiting.pop(tenant_id, None)
