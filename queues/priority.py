"""How soon a case is handed out within its lane. Overdue cases come before all this; deadline and age settle ties."""

from typing import Final

from queues.risk import Risk

# Added up, lower is sooner: risk (0 to 45), time to the deadline (0 to 30), what users said (0 to 12). So urgency lifts
# a case by two steps of risk at most, and feedback never lifts it by a whole one.
_RISK: Final = {Risk.CRITICAL: 0, Risk.HIGH: 15, Risk.MEDIUM: 30, Risk.LOW: 45}
UNTIL_DUE: Final = ((0, 0), (15, 4), (60, 10), (240, 16), (1440, 22), (4320, 26))
_LATER: Final = 30
_EDITED: Final = 0
_NEGATIVE: Final = 4
_NOTHING_SAID: Final = 8
_POSITIVE: Final = 12


def priority(
    *, risk: Risk, minutes_left: float | None = None, signal_weight: float = 0.0, user_edited: bool = False
) -> int:
    """From 0 (first) to 87 (last). `minutes_left` is below 0 when overdue, None without a deadline.

    `signal_weight` is the sum of the signals' signed weights: below 0 means that users were unhappy. A user's own edit
    is the most telling signal, and counts before all others.
    """
    if user_edited:
        said = _EDITED
    elif signal_weight < 0:
        said = _NEGATIVE
    else:
        said = _POSITIVE if signal_weight > 0 else _NOTHING_SAID
    return _RISK[risk] + _urgency(minutes_left) + said


def _urgency(minutes_left: float | None) -> int:
    if minutes_left is None:
        return _LATER
    for within, points in UNTIL_DUE:
        if minutes_left <= within:
            return points
    return _LATER
