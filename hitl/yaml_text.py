"""YAML as people mean it: `no` is Norwegian, 17:00 a time, and a key that stands there twice is a mistake."""

import re
from typing import Any, Final

import yaml


class NotYaml(ValueError):
    """The text cannot be read; this says where and why."""


class _Loader(yaml.SafeLoader):
    """Only true, false, null and numbers are no text, as in YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "a name must be text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"“{key.value}” is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


for tag, form, first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^({form})$"), [*first])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])


class _Dumper(yaml.SafeDumper):
    """Lists of words stand on one line, others set in under their name; texts of several lines are blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        flat = not any(isinstance(one, list | dict) for one in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flat)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
WIDTH: Final = 120


def read(text: str) -> Any:
    """Raises NotYaml."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- it is a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise NotYaml(f"{where}{error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise NotYaml(f"The file holds what cannot be in YAML: {error}.") from None
    except RecursionError:
        raise NotYaml("The file is nested too deeply.") from None


def written(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text
