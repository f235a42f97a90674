"""What the pages on judges show: the figures of stored reports as lines of words. Nothing is measured here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from codebook.agreement.reading_figures import Line, Shown, line, shown
from codebook.doors import cases
from codebook.judges.reports import WHOLE, Json, history, name_of
from codebook.models import Codebook, JudgeReport
from hitl.models import User
from queues import seconds
from queues.models import Case, Outcome
from queues.risk import Risk

DIFFERENCES: Final = 50
FIGURES: Final = (
    ("kappa", "Kappa", "Agreement beyond chance."),
    ("sensitivity", "Sensitivity", "Of what people say fails, how much the judge fails."),
    ("specificity", "Specificity", "Of what people let pass, how much the judge lets pass."),
    ("raw", "Its own rate", "How much of all it judged it fails."),
    ("corrected", "Corrected rate", "How much fails in truth, its errors taken out."),
)


@dataclass(frozen=True, slots=True)
class JudgeRow:
    report: JudgeReport
    name: str
    figures: Json
    alarms: Sequence[str]
    pairs: int
    judged: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A case that judge and people see differently: what the judge says in words, and the person's verdict."""

    case: Case
    judge: str
    human: str

    @property
    def human_words(self) -> str:
        return str(Outcome.Verdict(self.human).label)


@dataclass(frozen=True, slots=True)
class Differences:
    """`elsewhere`: how many more there are that the person may not see, or should not yet."""

    rows: Sequence[Difference]
    elsewhere: int


def row(report: JudgeReport) -> JudgeRow:
    result = report.result
    titles = {one["key"]: one["title"] for one in result["categories"]}
    alarms = ["Fails" if key == WHOLE else titles.get(key, key) for key in result["alarms"]]
    return JudgeRow(report, name_of(report), _shown(result[WHOLE]), alarms, result["pairs"], result["judged"])


def parts(report: JudgeReport) -> dict[str, Any]:
    """A judge's page: its figures for all and by category, whether it leans, and how people saw what it was sure of."""
    result = report.result
    table = result[WHOLE]["table"]
    return {
        "row": row(report),
        "result": result,
        "figures": [(name, about, shown(result[WHOLE][key])) for key, name, about in FIGURES],
        "table": table | {"fails": table["both_fail"] + table["judge_alone"]},
        "categories": [(one["title"], _shown(one), one["key"] in result["alarms"]) for one in result["categories"]],
        "length": [
            {"human": one["human"], **{key: shown(one[key]) for key in ("short", "long", "difference")}}
            for one in result["length"]
        ],
        "position": {key: shown(one) for key, one in result["position"].items()} if result["position"] else None,
        "audits": [_audit(one) for one in result["audits"]],
    }


def over_time(report: JudgeReport) -> tuple[Line | None, list[tuple[datetime, Shown, Shown, Shown, JudgeReport]]]:
    """Kappa as a line over the stored reports, and the reports themselves, latest first."""
    past = history(report)
    points = [
        {"until": one.until.date().isoformat(), **{key: one.result[WHOLE][key] for key in ("kappa",)}} for one in past
    ]
    rows = [
        (
            one.computed_at,
            shown(one.result[WHOLE]["kappa"]),
            shown(one.result[WHOLE]["sensitivity"]),
            shown(one.result[WHOLE]["specificity"]),
            one,
        )
        for one in reversed(past)
    ]
    return line(points, "kappa"), rows


def differences(report: JudgeReport, user: User, codebook: Codebook) -> Differences:
    """The cases on which they differ, latest first: those that the person may see, and need not decide themselves."""
    kept = report.result["differences"]
    ids = [one["case"] for one in kept]
    # Whoever may yet decide a case sees nobody's decision on it.
    still = seconds.undecided(user).filter(case__in=ids).values("case")
    seen = cases(user, codebook).filter(pk__in=ids).exclude(pk__in=still)
    by_id = {case.pk: case for case in seen.only("external_id", "question", "tenant_id", "queue_id")}
    rows = [
        Difference(by_id[one["case"]], "fails" if one["judge"] else "passes", one["human"])
        for one in kept
        if one["case"] in by_id
    ]
    return Differences(rows[:DIFFERENCES], report.result["differ"] - min(len(rows), DIFFERENCES))


def _audit(one: Json) -> Json:
    strata = [
        {**part, "rate": shown(part["rate"]), "name": f"{part['verdict']}, {Risk(part['risk']).label.lower()} risk"}
        for part in one["strata"]
    ]
    return {**one, "rate": shown(one["rate"]), "strata": strata}


def _shown(figures: Json) -> Json:
    return {key: shown(figures[key]) for key, _, _ in FIGURES}
