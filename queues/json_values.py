"""Reads settings out of JSON that somebody wrote: every fault gets its sentence, and nothing is half taken."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final


class Refused(ValueError):
    """Values that were not taken; `errors` holds one sentence for each fault, each naming its field."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(self.errors))


class Reader:
    """Takes fields out of one JSON object, collecting faults; `finish()` refuses what is left over, or wrong.

    A missing field gives its default. `errors` may be shared, so that nested objects report together.
    """

    def __init__(self, data: object, where: str = "", errors: list[str] | None = None) -> None:
        self.errors: list[str] = [] if errors is None else errors
        self.where = where
        self._taken: set[str] = set()
        self._data: Mapping[str, Any] = {}
        if isinstance(data, Mapping):
            # Only YAML files can have other names than texts; read as texts, they are merely unknown.
            self._data = {str(key): value for key, value in data.items()}
        else:
            self.fault("", f"must be an object with named fields, not {kind(data)}.")

    def fault(self, key: str, sentence: str) -> None:
        path = _printable(".".join(part for part in (self.where, key) if part))
        self.errors.append(f"{path}: {sentence}" if path else f"{sentence[:1].upper()}{sentence[1:]}")

    def raw(self, key: str, default: Any = None) -> Any:
        self._taken.add(key)
        return self._data.get(key, default)

    def has(self, key: str) -> bool:
        return key in self._data

    def names(self) -> list[str]:
        """The names in the object, for objects whose names are data."""
        for key in self._data:
            if _UNSTORABLE.search(key):
                self.fault(key[:60], "the name holds characters that cannot be stored.")
        return [key for key in self._data if not _UNSTORABLE.search(key)]

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self.raw(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            self.fault(key, f"must be a number from {low:g} to {high:g}, not {shown(value)}.")
            return default
        if not low <= value <= high:
            self.fault(key, f"must be from {low:g} to {high:g}, not {shown(value)}.")
            return default
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.fault(key, f"must be true or false, not {shown(value)}.")
            return default
        return value

    def text(self, key: str, default: str = "", longest: int = 200) -> str:
        value = self.raw(key, default)
        if not isinstance(value, str):
            self.fault(key, f"must be text, not {shown(value)}.")
            return default
        if len(value) > longest:
            self.fault(key, f"is longer than {longest} characters.")
            return default
        if _UNSTORABLE.search(value):
            self.fault(key, "holds characters that cannot be stored.")
            return default
        return value.strip()

    def texts(self, key: str, default: Iterable[str] = (), longest: int = 200, most: int = 500) -> tuple[str, ...]:
        value = self.raw(key, list(default))
        if not isinstance(value, list | tuple):
            self.fault(key, f"must be a list of texts, not {shown(value)}.")
            return tuple(default)
        if len(value) > most:
            self.fault(key, f"has {len(value)} entries; at most {most} are taken.")
            return tuple(default)
        found: list[str] = []
        for position, entry in enumerate(value, 1):
            if not isinstance(entry, str) or not entry.strip():
                self.fault(key, f"entry {position} must be text, not {shown(entry)}.")
            elif len(entry) > longest:
                self.fault(key, f"entry {position} is longer than {longest} characters.")
            elif _UNSTORABLE.search(entry):
                self.fault(key, f"entry {position} holds characters that cannot be stored.")
            else:
                found.append(entry.strip())
        return tuple(dict.fromkeys(found))

    def choices(self, key: str, default: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
        allowed = tuple(allowed)
        found = self.texts(key, default)
        for entry in found:
            if entry not in allowed:
                self.fault(key, f"{shown(entry)} is not one of {', '.join(allowed)}.")
        return tuple(entry for entry in found if entry in allowed)

    def object(self, key: str) -> "Reader":
        """A nested object; a missing one reads as an empty one."""
        return Reader(self.raw(key, {}), ".".join(part for part in (self.where, key) if part), self.errors)

    def finish(self) -> None:
        """Name the fields nobody asked for: a misspelt threshold must not be silently ignored."""
        for key in self._data:
            if key not in self._taken:
                self.fault(str(key)[:60], "is not a setting here; check its spelling.")

    def refuse_faults(self) -> None:
        if self.errors:
            raise Refused(self.errors)


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "an object"


def shown(value: object) -> str:
    """A wrong value as an error may quote it: short, and never a whole document."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if value != value:
            return "NaN"
        return f"{value:g}" if abs(value) < 1e15 else "a number far out of range"
    if isinstance(value, str):
        return quoted(value)
    return kind(value)


def quoted(text: str) -> str:
    """Somebody's text inside an error: short, and without characters that hide, turn the line or break an encoding."""
    return f"“{_printable(text[:40])}{'…' if len(text) > 40 else ''}”"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
