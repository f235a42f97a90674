"""Lines as COPY reads them, made ahead in any thread: for tables that rows come into by the thousand a second."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

NULL: Final = "\\N"
_SPECIAL: Final = re.compile(r"[\\\n\r\t]")
_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def line(*values: object) -> str:
    """Values with a tab between them, without an end: texts without NUL, numbers, moments, ids, truths and None."""
    return "\t".join([_text(value) for value in values])


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPED) if _SPECIAL.search(value) else value
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    return repr(value)
