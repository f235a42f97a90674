"""The API's OpenAPI document as rows for a page: what each operation takes, in words, and what it answers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

METHODS: Final = ("get", "post", "put", "patch", "delete")
_PLAIN: Final = {"boolean": "true or false", "integer": "a whole number", "object": "an object", "null": "nothing"}
_FORMATS: Final = {"date-time": "a time with a zone"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    phrase: str
    about: str
    fields: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    about: str
    body_about: str
    media_types: tuple[str, ...]
    example: str
    fields: tuple[FieldRow, ...]
    answers: tuple[Answer, ...]


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation of the document, in its order."""
    schemas = document["components"]["schemas"]
    return [
        _operation(path, method, spec, schemas)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
        if method in METHODS
    ]


def _operation(path: str, method: str, spec: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    content = spec.get("requestBody", {}).get("content", {})
    body: Mapping[str, Any] = next((media["schema"] for media in content.values() if "schema" in media), {})
    answers = []
    for status, response in spec["responses"].items():
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        about = _named(schema, schemas).get("description", "")
        answers.append(Answer(int(status), HTTPStatus(int(status)).phrase, about, tuple(_fields(schema, schemas))))
    return Operation(
        id=spec["operationId"],
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        about=" ".join(spec.get("description", "").split()),
        body_about=spec.get("requestBody", {}).get("description", ""),
        media_types=tuple(content),
        example=next((json.dumps(media["example"], indent=2) for media in content.values() if "example" in media), ""),
        fields=tuple(_fields(body, schemas)),
        answers=tuple(answers),
    )


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str = "") -> Iterator[FieldRow]:
    """An object's fields, those of nested objects behind a prefix such as `evidence[].`."""
    found = _named(schema, schemas)
    if "oneOf" in found:
        found = _named(found["oneOf"][0], schemas)
    required = found.get("required", [])
    named = found.get("properties", {}).items()
    for name, details in sorted(named, key=lambda pair: pair[0] not in required):
        inner = _without_null(details, schemas)
        yield FieldRow(prefix + name, _kind(inner, schemas), name in required, details.get("description", ""))
        if inner.get("type") == "array":
            yield from _fields(inner["items"], schemas, f"{prefix}{name}[].")
        elif "properties" in inner:
            yield from _fields(inner, schemas, f"{prefix}{name}.")


def _named(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _without_null(details: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    for choice in details.get("anyOf", []):
        if choice.get("type") != "null":
            return {**_named(choice, schemas)}
    return _named(details, schemas)


def _kind(details: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "enum" in details or "const" in details:
        return "one of " + ", ".join(map(str, details.get("enum", [details.get("const")])))
    kind = details.get("type", "object")
    if kind == "array":
        most = f" of at most {details['maxItems']:,}" if "maxItems" in details else ""
        return f"a list{most}"
    if kind == "string":
        words = _FORMATS.get(details.get("format", ""), "text")
        return f"{words}, at most {details['maxLength']:,} characters" if "maxLength" in details else words
    if kind == "number":
        low, high = details.get("minimum"), details.get("maximum")
        return "a number" if low is None or high is None or high > 1000 else f"a number from {low:g} to {high:g}"
    return _PLAIN.get(kind, kind)
