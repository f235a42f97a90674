"""UUIDv7: ids that sort by time (RFC 9562, 5.7), made as the database's own function makes them."""

import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def uuid7(at: datetime) -> uuid.UUID:
    """A new id of this moment: milliseconds, then the fraction of one in 12 bits (method 3), then 62 random bits."""
    return _made(at, os.urandom(8))


def uuid7s(moments: Sequence[datetime]) -> list[uuid.UUID]:
    """A new id of each of these moments: chance is asked for once, which is what takes long."""
    chance = os.urandom(8 * len(moments))
    return [_made(at, chance[8 * place : 8 * place + 8]) for place, at in enumerate(moments)]


def _made(at: datetime, chance: bytes) -> uuid.UUID:
    millis, micros = divmod((at - _EPOCH) // _MICROSECOND, 1000)
    random = int.from_bytes(chance) & (1 << 62) - 1
    return uuid.UUID(int=millis << 80 | 7 << 76 | micros * 4096 // 1000 << 64 | 2 << 62 | random)


def floor(at: datetime) -> uuid.UUID:
    """Below every id of this millisecond or later, and above every id before it: a bound, not an id."""
    return uuid.UUID(int=(at - _EPOCH) // timedelta(milliseconds=1) << 80)


def moment(id: uuid.UUID) -> datetime:
    """When the id was made for, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=id.int >> 80)
