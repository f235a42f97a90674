"""Reads a configuration file: the whole of it, with a sentence for every fault, before anything is done."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hitl import yaml_text
from hitl.management.config.schema import INSIDE, NAMED_BY, SECTIONS, Config, Entry
from queues.json_values import kind, shown


class Faulty(ValueError):
    """The file was refused; nothing was changed. `faults` holds a sentence for each fault, with its place."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


_SENTENCES: Final[dict[str, str]] = {
    "missing": "is missing",
    "bool_type": "must be true or false, not {shown}",
    "string_type": "must be text, not {shown}",
    "list_type": "must be a list, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "model_type": "must be an object with named fields, not {kind}",
    "model_attributes_type": "must be an object with named fields, not {kind}",
    "int_type": "must be a whole number, not {shown}",
    "float_type": "must be a number, not {shown}",
    "string_pattern_mismatch": "{shown} does not have the form it must have: {form}",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length:,} characters",
    "too_short": "is empty",
    "too_long": "has more than {max_length:,} entries",
    "greater_than_equal": "must be at least {ge:g}, not {shown}",
    "less_than_equal": "must be at most {le:g}, not {shown}",
    "literal_error": "must be {expected}, not {shown}",
}
_FORMS: Final = {"^[A-Z]{2}$": "a country's two capital letters"}
_LETTERS: Final = "letters, digits, hyphens; lower case in short names"


def read(text: str) -> tuple[Config, list[str], dict[str, set[Any]]]:
    """What is in order in the file, the faults of the rest, and the names of all entries, also of faulty ones."""
    try:
        data = yaml_text.read(text)
    except yaml_text.NotYaml as fault:
        raise Faulty([str(fault)]) from None
    if not isinstance(data, dict):
        raise Faulty([f"The file must hold sections ({', '.join(SECTIONS)}), not {shown(data)}."])
    faults = [f"{name}: {_unknown(name, SECTIONS)}" for name in data if name not in SECTIONS]
    found: dict[str, Any] = {}
    names: dict[str, set[Any]] = {}
    for section, model in SECTIONS.items():
        rows = data.get(section)
        if rows is not None and not isinstance(rows, list):
            faults.append(f"{section}: must be a list, not {kind(rows)}.")
            rows = None
        found[section], names[section] = _section(section, model, rows or [], faults)
    return Config.model_construct(**found), faults, names


def _section(section: str, model: type[Entry], rows: list[Any], faults: list[str]) -> tuple[list[Entry], set[Any]]:
    found: list[Entry] = []
    seen: dict[tuple[str, ...], str] = {}
    for position, row in enumerate(rows):
        place = f"{section}[{position}]"
        name = _name(section, row)
        label = " / ".join(name) if name else ""
        if name:
            if name in seen:
                faults.append(f"{place}: {label} is there twice; it stands at {seen[name]} too.")
            seen.setdefault(name, place)
        try:
            entry = model.model_validate(row)
        except ValidationError as error:
            faults += [_sentence(one, place, label, model) for one in error.errors(include_url=False)]
            continue
        entry._place = (place, label)
        found.append(entry)
    return found, {name if len(name) > 1 else name[0] for name in seen}


def _name(section: str, row: Any) -> tuple[str, ...]:
    """What an entry is called, if it can be told."""
    given = [row.get(field) for field in NAMED_BY[section]] if isinstance(row, dict) else []
    parts = tuple(part.lower() if section == "people" else part for part in given if isinstance(part, str))
    return parts if len(parts) == len(NAMED_BY[section]) else ()


def _sentence(error: ErrorDetails, place: str, label: str, model: type[Entry]) -> str:
    where = place
    for part in error["loc"]:
        where += f"[{part}]" if isinstance(part, int) else f".{part}"
        model = INSIDE.get(str(part), model)
    where += f" ({label})" if label else ""
    if error["type"] == "extra_forbidden":
        return f"{where}: {_unknown(str(error['loc'][-1]), model.model_fields)}"
    context = dict(error.get("ctx", {}))
    context["expected"] = str(context.get("expected", "")).replace("'", "")
    context["form"] = _FORMS.get(str(context.get("pattern", "")), _LETTERS)
    template = _SENTENCES.get(error["type"])
    if template is None:
        return f"{where}: {error['msg']}."
    return f"{where}: {template.format(**context, shown=shown(error['input']), kind=kind(error['input']))}."


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"is not known here; {f'did you mean {near[0]}?' if near else 'there are ' + ', '.join(known) + '.'}"
