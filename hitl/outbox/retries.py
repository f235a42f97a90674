"""When a message that was not taken is tried again, and when hitl gives up."""

from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=5)
FACTOR: Final = 3
LONGEST: Final = timedelta(hours=12)
# 5 s, 15 s, 45 s, 2 min, 7 min, 20 min, 1 h, 3 h, 9 h, then every 12 h: five days in all.
ATTEMPTS: Final = 19
SPREAD: Final = 0.2


def delay(attempts: int, jitter: float) -> timedelta | None:
    """How long to wait after this many attempts in vain; None when it was the last.

    `jitter` in [0, 1) spreads it by a fifth to either side, so that what failed together does not come back together.
    """
    if attempts >= ATTEMPTS:
        return None
    plain = min(FIRST * FACTOR ** (max(attempts, 1) - 1), LONGEST)
    return plain * (1 + SPREAD * (2 * jitter - 1))
