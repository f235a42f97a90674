import csv
import json
import math
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from codebook.agreement.statistics import RESAMPLES, Agreement, Figure, measure

COLUMNS: Final = ("item", "annotator", "value")
TOLD: Final = 5


class Command(BaseCommand):
    help = """How far annotators agree, from a table of theirs: percent agreement, Cohen's kappa, Gwet's AC1 and
Krippendorff's alpha, each with its 95% interval and the number of items it stands on. No database is needed.

The file is CSV (UTF-8; commas, semicolons or tabs) whose first line names the columns item, annotator and value,
in any order; other columns are left alone. An empty value is a missing one.

If all values are numbers, they are compared as numbers (1 and 1.0 are the same). Ordinal alpha needs numbers or
--order; interval alpha needs numbers. With --order, AC1 counts the whole scale, values that nobody used too.
For more than two annotators Cohen's kappa is the mean over the pairs who share items (Light 1971).

--json gives {"percent_agreement", "cohen_kappa", "gwet_ac1", "krippendorff_alpha": {"nominal", "ordinal",
"interval"}}, each {"value", "low", "high", "n_items"}; percent_agreement goes from 0 to 1. Of a figure that is
undefined value, low and high are null, of one without an interval low and high; then "reason" is a sentence that says
why."""
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--order", help="all values of the scale, lowest first: bad,fair,good")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        order = scale(options["order"]) if options["order"] is not None else None
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                ratings = list(read(file))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not UTF-8 text. Save it as CSV in UTF-8 and try again.") from None
        except csv.Error as error:
            raise CommandError(f"{path} is not a CSV file that can be read: {error}.") from None
        found = agreement(ratings, order, self.stderr)
        self.stdout.write(json.dumps(as_json(found), indent=2) if options["json"] else as_table(found))


def read(lines: Iterable[str]) -> Iterator[tuple[str, str, str | None]]:
    """The ratings of a table, missing values as None. Raises CommandError with the lines that are wrong."""
    incoming = iter(lines)
    head = next(incoming, "")
    delimiter = max(",;\t", key=head.count)
    names = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise CommandError(
            f"The first line names no column {' and no column '.join(missing)}. It must name the columns item,"
            " annotator and value."
        )
    if doubled := [name for name in COLUMNS if names.count(name) > 1]:
        raise CommandError(f"The first line names the column {doubled[0]} twice.")
    places = [names.index(name) for name in COLUMNS]
    seen: dict[tuple[str, str], int] = {}
    wrong: list[str] = []
    reader = csv.reader(incoming, delimiter=delimiter)
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        number = reader.line_num + 1
        if len(cells) > len(names):
            said = f"has {len(cells)} cells for {len(names)} columns; put text with a {delimiter!r} in quotes"
            wrong.append(f"line {number} {said}")
            continue
        item, annotator, value = (cells[place].strip() if place < len(cells) else "" for place in places)
        if not item or not annotator:
            wrong.append(f"line {number} names no {'annotator' if item else 'item'}")
        elif first := seen.get((item, annotator)):
            wrong.append(f"line {number} rates item {item[:60]!r} by {annotator[:60]!r} again, after line {first}")
        else:
            seen[item, annotator] = number
            yield item, annotator, value or None
    if wrong:
        raise CommandError(f"Nothing was computed, since the table has mistakes:\n{listed(wrong)}")


def scale(given: str) -> list[str]:
    """The values that --order names. Raises CommandError for an empty or a doubled one."""
    values = [value.strip() for value in next(csv.reader([given]), [])]
    if len(values) < 2 or "" in values:
        raise CommandError("--order must name at least two values, lowest first, as in: --order bad,fair,good")
    if doubled := [value for value in values if values.count(value) > 1]:
        raise CommandError(f"--order names {doubled[0]} twice.")
    return values


def agreement(ratings: list[tuple[str, str, str | None]], order: list[str] | None, bar_on: Any) -> Agreement:
    """The figures of what was read; numbers are compared as numbers where all values are. Raises CommandError."""
    words = dict.fromkeys(value for _, _, value in ratings if value is not None)
    as_number = {word: number(word) for word in (*words, *(order or ()))}
    numeric = all(as_number[word] is not None for word in words)
    # A scale of numbers may have a word that nobody used: it stays a word.
    values: dict[str | None, Any] = {
        None: None,
        **{word: word if found is None or not numeric else found for word, found in as_number.items()},
    }
    named = None if order is None else [values[word] for word in order]
    if named is not None:
        if len(set(named)) < len(named):
            raise CommandError("--order names the same number twice.")
        if left_out := [word for word in words if values[word] not in set(named)]:
            said = listed([repr(word[:60]) for word in left_out])
            raise CommandError(f"The file has values that --order leaves out. Name all, lowest first:\n{said}")
    with tqdm(total=2 * RESAMPLES, desc="resampling", file=bar_on, disable=None, leave=False) as bar:
        return measure(
            [(item, annotator, values[value]) for item, annotator, value in ratings],
            order=named,
            progress=lambda done, _: cast("None", bar.update(done - bar.n)),
        )


def number(text: str) -> int | float | None:
    """The number that a text is; an integer stays exact, so that long ones are not taken for each other."""
    try:
        found = float(text)
        if "_" in text or not math.isfinite(found):
            return None
        return int(text) if found.is_integer() and text.lstrip("+-").isdigit() else found
    except ValueError:
        return None


def listed(lines: list[str]) -> str:
    more = [f"and {len(lines) - TOLD:,} more"] if len(lines) > TOLD else []
    return "\n".join(f"  {line}" for line in (*lines[:TOLD], *more))


def as_json(found: Agreement) -> dict[str, Any]:
    alpha = found.krippendorff_alpha
    return {
        "percent_agreement": of_figure(found.percent_agreement),
        "cohen_kappa": of_figure(found.cohen_kappa),
        "gwet_ac1": of_figure(found.gwet_ac1),
        "krippendorff_alpha": {
            "nominal": of_figure(alpha.nominal),
            "ordinal": of_figure(alpha.ordinal),
            "interval": of_figure(alpha.interval),
        },
    }


def of_figure(figure: Figure) -> dict[str, Any]:
    """As JSON; a reason only where there is one to give."""
    return {name: value for name, value in asdict(figure).items() if name != "reason" or value}


def as_table(found: Agreement) -> str:
    alpha = found.krippendorff_alpha
    pairs = f"Cohen's kappa, mean of {found.pairs:,} pairs" if found.pairs > 1 else "Cohen's kappa"
    named = {
        "Percent agreement": found.percent_agreement,
        pairs: found.cohen_kappa,
        "Gwet's AC1": found.gwet_ac1,
        "Krippendorff's alpha, nominal": alpha.nominal,
        "Krippendorff's alpha, ordinal": alpha.ordinal,
        "Krippendorff's alpha, interval": alpha.interval,
    }
    wide = max(map(len, named))
    lines = [
        f"{found.ratings:,} ratings of {found.items:,} items by {found.raters:,} annotators.",
        "",
        f"{'':{wide}}  {'value':>7}  {'95% interval':>16}  {'items':>9}",
    ]
    for name, figure in named.items():
        if figure.value is None:
            lines.append(f"{name:{wide}}  undefined: {figure.reason}")
            continue
        interval = "none" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}"
        line = f"{name:{wide}}  {figure.value:7.3f}  {interval:>16}  {figure.n_items:9,}"
        lines.append(f"{line}  {figure.reason}".rstrip())
    return "\n".join(lines)
