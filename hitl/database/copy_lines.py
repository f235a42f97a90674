"""Values as COPY reads them, for lines made ahead in any thread: where rows come in by the thousand a second."""

import re
from typing import Final

NULL: Final = "\\N"
_SPECIAL: Final = re.compile(r"[\\\n\r\t]")
_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def text(value: str) -> str:
    """A text without NUL, so that no tab or line break of its own ends a value or a line."""
    return value.translate(_ESCAPED) if _SPECIAL.search(value) else value


def number(value: float | None) -> str:
    return NULL if value is None else repr(value)


def flag(value: bool) -> str:
    return "t" if value else "f"
