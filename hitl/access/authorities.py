"""What an authority such as `finance.refund.L2` covers. The claim's SQL says the same (function `authority_covers`)."""

import re

_FORM = re.compile(r"^(?P<scope>[a-z0-9_]+(?:\.[a-z0-9_]+)*?)(?:\.L(?P<level>[1-9]))?$")
HIGHEST = 9


def parse(authority: str) -> tuple[str, int | None]:
    """`finance.refund.L2` -> ("finance.refund", 2); without a level, None. ValueError with a sentence on others."""
    match = _FORM.fullmatch(authority)
    if not match:
        raise ValueError(f"“{authority}” is not an authority: write it like finance.refund.L2.")
    return match["scope"], int(match["level"]) if match["level"] else None


def covers(held: str, wanted: str) -> bool:
    """Whether one who holds `held` may do what needs `wanted`. Nothing needed is covered by anything."""
    if not wanted or held == wanted:
        return True
    (held_scope, held_level), (wanted_scope, wanted_level) = parse(held), parse(wanted)
    return held_scope == wanted_scope and held_level is not None and held_level >= (wanted_level or 0)


def above(authority: str) -> str | None:
    """The next level of the same scope, or None at the top or where there are no levels."""
    scope, level = parse(authority)
    return f"{scope}.L{level + 1}" if level is not None and level < HIGHEST else None
