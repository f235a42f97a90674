"""The rules of the house that a tool can hold: which way imports go, how large things get, what is not used at all."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from django.apps import apps
from django.conf import settings

HOUSE = Path(settings.BASE_DIR)
ROOMS = ("hitl", "queues", "codebook", "reviews")
FILE, TEMPLATE, VIEW = 400, 120, 30
# Made by machine; their length is the tables'.
GENERATED = re.compile(r"/migrations/")
BANNED_NAMES = {"utils.py", "helpers.py", "services.py"}

SOURCES = sorted(
    path for path in chain(HOUSE.glob("*.py"), *((HOUSE / room).rglob("*.py") for room in ROOMS)) if path.is_file()
)
OURS = [path for path in SOURCES if not GENERATED.search(str(path))]


def name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def test_the_house_is_read_whole():
    assert {path.relative_to(HOUSE).parts[0] for path in SOURCES} >= {"manage.py", *ROOMS}
    assert len(OURS) > 100


class TestImports:
    def test_they_go_one_way(self):
        """The contract is in pyproject.toml."""
        checked = subprocess.run(
            [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
            cwd=HOUSE,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "0 broken" in checked.stdout

    def test_every_part_of_the_frame_has_its_place_in_the_contract(self):
        (contract,) = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        placed = set(re.findall(r"hitl\.(\w+)", " ".join(contract["layers"])))
        parts = {
            path.stem for path in (HOUSE / "hitl").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
        }
        assert placed == parts - {"__init__"}

    def test_none_stands_inside_a_function(self):
        inside = [
            f"{name(path)}:{node.lineno}"
            for path in OURS
            for function in ast.walk(parsed(path))
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert inside == []


class TestModels:
    OF_OURS = [model for room in ROOMS for model in apps.get_app_config(room).get_models(include_auto_created=True)]

    def test_no_relation_points_up(self):
        up = [
            str(field)
            for model in self.OF_OURS
            for field in model._meta.get_fields()
            if field.is_relation and not field.auto_created
            if field.related_model._meta.app_label in ROOMS[ROOMS.index(model._meta.app_label) + 1 :]
        ]
        assert up == []

    def test_no_generic_relation_and_no_admin(self):
        assert not apps.is_installed("django.contrib.admin")
        for path in OURS:
            assert "GenericForeignKey" not in path.read_text(), name(path)


def test_no_signal_of_django_is_used():
    used = []
    for path in OURS:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                modules = (
                    [f"{node.module}.{one.name}" for one in node.names] if isinstance(node, ast.ImportFrom) else []
                )
            used += [
                f"{name(path)}: {module}" for module in modules if re.match(r"django\b.*\.(signals|dispatch)\b", module)
            ]
    assert used == []


def longer(paths: Iterable[Path], lines: int) -> list[str]:
    counted = [(path, len(path.read_text().splitlines())) for path in paths]
    return [f"{name(path)} has {length} lines" for path, length in counted if length > lines]


class TestSizes:
    def test_no_file_is_too_long_to_read(self):
        assert longer(OURS, FILE) == []
        assert longer((HOUSE / "tests").rglob("*.py"), FILE) == []
        assert (
            longer((path for kind in ("css", "js") for path in (HOUSE / "static" / kind).rglob(f"*.{kind}")), FILE)
            == []
        )

    def test_no_template_is_too_long_to_read(self):
        assert longer((HOUSE / "templates").rglob("*.html"), TEMPLATE) == []

    def test_no_view_is_more_than_a_door(self):
        views = [path for path in OURS if path.name == "views.py" or path.parent.name == "views"]
        functions = [
            (path, node) for path in views for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef)
        ]
        assert [
            f"{name(path)}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            for path, node in functions
            if node.end_lineno - node.lineno + 1 > VIEW
        ] == []

    def test_no_drawer_for_everything(self):
        assert [name(path) for path in SOURCES if path.name in BANNED_NAMES] == []


def test_every_test_that_a_guarantee_names_exists():
    promised = (HOUSE / "GUARANTEES.md").read_text()
    named = re.findall(r"`(tests/[\w/.]+?\.py)(?:::(\w+))?`", promised)
    assert len(named) >= 11
    for path, test in named:
        assert (HOUSE / path).is_file(), path
        assert not test or re.search(rf"\b(def|class) {test}\b", (HOUSE / path).read_text()), f"{path}::{test}"


def test_every_test_of_a_guarantee_is_named_in_one():
    promised = (HOUSE / "GUARANTEES.md").read_text()
    assert [name(p) for p in (HOUSE / "tests/guarantees").glob("test_*.py") if name(p) not in promised] == []
