"""Which datasets hold what a user gave: the one place where that is looked up, whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from hitl.models import Tenant


@dataclass(frozen=True, slots=True)
class Held:
    """A version of a dataset that was frozen with rows of a user in it."""

    dataset: str
    version: int
    rows: int


def holding(tenant: Tenant, user_key: str) -> Sequence[Held]:
    """The versions that hold rows of this user, by the key as it is stored. None can: no dataset is made here yet."""
    return ()


def any_made(tenant: Tenant) -> bool:
    """Whether the tenant has any dataset at all, so that "none holds them" can be told from "there is none"."""
    return False
