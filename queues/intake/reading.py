"""Rows out of bytes: a JSON object or array, one JSON object per line (NDJSON), or CSV. Lines come one at a time."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic_core import from_json

from queues.intake.rows import Unreadable
from queues.intake.schema import CASE_BYTES

# An escaped text takes up to six bytes a character; what counts is its size once read.
LINE_BYTES: Final = 6 * CASE_BYTES
BOM: Final = b"\xef\xbb\xbf"
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)$")


class Broken(ValueError):
    """The whole is not what it says it is; the message is a sentence with the place."""


def document(body: bytes) -> list[Any]:
    """The rows of a JSON body: an array's entries, or the one object. Raises Broken, with line and column."""
    if not body.strip():
        raise Broken("The body is empty. Send a case as a JSON object, or several as an array.")
    try:
        read = _json(body.removeprefix(BOM))
    except ValueError as error:
        raise Broken(_place(str(error), body)) from None
    if isinstance(read, list):
        return read
    if isinstance(read, dict):
        return [read]
    raise Broken("The body must be a JSON object (one case) or an array of them.")


def lines(blocks: Iterable[bytes]) -> Iterator[Any]:
    """The rows of an NDJSON stream; a line that cannot be read is an Unreadable, and the next is read all the same."""
    for number, line in enumerate(_split(blocks), 1):
        if line is None:
            yield Unreadable(f"Line {number} is longer than {LINE_BYTES:,} bytes.")
            continue
        if number == 1:
            line = line.removeprefix(BOM)
        if not line or line.isspace():
            continue
        try:
            yield _json(line)
        except ValueError as error:
            said, column = _split_place(str(error))
            yield Unreadable(f"Line {number} is not JSON: {said}{f' at column {column[1]}' if column else ''}.")


def _json(data: bytes) -> Any:
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError:
        if not _HALF.search(data):
            raise
    # Perhaps half a character is all that is wrong: Python reads it, so that the field which holds it can be named.
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _split(blocks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Lines; None for one that is too long, which is never held in memory."""
    kept: list[bytes] = []
    size = 0
    for block in blocks:
        *whole, rest = block.split(b"\n")
        for line in whole:
            if size:
                size += len(line)
                line = b"".join((*kept, line))
                kept.clear()
            yield None if max(size, len(line)) > LINE_BYTES else line
            size = 0
        size += len(rest)
        if size > LINE_BYTES:
            kept.clear()
        elif rest:
            kept.append(rest)
    if size:
        yield None if size > LINE_BYTES else b"".join(kept)


def _split_place(said: str) -> tuple[str, tuple[str, str] | None]:
    found = _PLACE.search(said)
    return (said[: found.start()], (found[1], found[2])) if found else (said, None)


def _place(said: str, body: bytes) -> str:
    """A parser's complaint as a sentence; in an array, with the index of the entry it stopped in."""
    words, place = _split_place(said)
    if place is None:
        return f"The body is not JSON: {words}."
    line, column = place
    where = f"line {line}, column {column}"
    if words == "trailing characters" and body.lstrip()[:1] == b"{":
        hint = "One case per line goes with Content-Type: application/x-ndjson."
        return f"The body is not JSON: something follows the first object at {where}. {hint}"
    index = _index(body, int(line), int(column))
    return f"The body is not JSON: {words} at {where}{'' if index is None else f' (entry {index})'}. Nothing was taken."


def _index(body: bytes, line: int, column: int) -> int | None:
    """Which entry of a top-level array a place lies in, counted from 0."""
    read_lines = body.split(b"\n", line)
    before = b"\n".join([*read_lines[: line - 1], read_lines[line - 1][: max(0, column - 1)]]).strip()
    if not before.startswith(b"["):
        return None
    try:
        return len(from_json(before.removesuffix(b",") + b"]"))
    except ValueError:
        return len(from_json(before, allow_partial=True)) - 1


JSON_COLUMNS: Final = frozenset(("evidence", "tool_results", "conversation", "judges", "policy_flags", "metadata"))
NUMBER_COLUMNS: Final = frozenset(
    (
        "retrieval_score",
        "rerank_margin",
        "groundedness",
        "tool_success",
        "policy_classifier_score",
        "self_reported_confidence",
        "user_rating",
    )
)
_EVIDENCE_COLUMN: Final = re.compile(r"^evidence_([1-9][0-9]?)_(document_id|quote|score|title|url|marker)$")
_TRUE, _FALSE = frozenset(("true", "yes", "1")), frozenset(("false", "no", "0"))


def table(text: Iterable[str]) -> Iterator[Any]:
    """The rows of a CSV file of cases. Evidence is one column of JSON, or `evidence_1_quote`…"""
    return (
        row if isinstance(row, Unreadable) else _row(row) for row in cells(text, "case_id, user_question, model_draft")
    )


def cells(text: Iterable[str], named: str) -> Iterator[dict[str, str] | Unreadable]:
    """The rows of a CSV file as text, by the fields that its first line names; `named`: the first few, the first of
    which must be there.

    Commas, semicolons and tabs are understood. Raises Broken where there is no head to read by.
    """
    csv.field_size_limit(LINE_BYTES)
    incoming = iter(text)
    head = next(incoming, "").removeprefix("\ufeff")
    if not head.strip():
        raise Broken(f"The file is empty. Its first line must name the fields: {named}, …")
    delimiter = max(",;\t", key=head.count)
    names = [name.strip() for name in next(csv.reader([head], delimiter=delimiter), [])]
    wanted = named.partition(",")[0]
    if wanted not in names:
        raise Broken(f"The first line names no column {wanted}. It must name the fields, as the documentation does.")
    if doubled := {name for name in names if name and names.count(name) > 1}:
        raise Broken(f"The first line names the column {sorted(doubled)[0][:60]} twice.")
    reader = csv.reader(incoming, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Unreadable(f"Line {reader.line_num + 1} cannot be read: {error}.")
            continue
        if not any(row):
            continue
        if len(row) > len(names):
            said = f"has {len(row)} cells, but the first line names {len(names)} columns"
            yield Unreadable(f"Line {reader.line_num + 1} {said}. Put text with a {delimiter!r} in quotes.")
            continue
        yield dict(zip(names, row, strict=False))


def _row(cells: dict[str, str]) -> dict[str, Any] | Unreadable:
    row: dict[str, Any] = {}
    passages: dict[int, dict[str, Any]] = {}
    for name, cell in cells.items():
        if not cell.strip() and name != "user_question":
            continue
        if found := _EVIDENCE_COLUMN.match(name):
            passages.setdefault(int(found[1]), {})[found[2]] = _number(cell) if found[2] == "score" else cell
        elif name in JSON_COLUMNS:
            try:
                row[name] = from_json(cell, allow_inf_nan=False)
            except ValueError as error:
                return Unreadable(f"{name}: is not JSON: {_split_place(str(error))[0]}.")
        elif name == "user_requested_human":
            row[name] = _flag(cell)
        elif name in NUMBER_COLUMNS:
            row[name] = _flag(cell) if name == "tool_success" and cell.lower() in ("true", "false") else _number(cell)
        else:
            row[name] = cell
    if passages:
        row["evidence"] = [passages[number] for number in sorted(passages)]
    return row


def _number(cell: str) -> float | str:
    """What is no number stays as it is: the schema then says so, with the field's name."""
    try:
        return float(cell)
    except ValueError:
        return cell


def _flag(cell: str) -> bool | str:
    word = cell.strip().lower()
    return word in _TRUE if word in _TRUE | _FALSE else cell
