"""Measures each judge, version and prompt against what people decided. For the worker, as it needs numpy.

People say that an answer fails when they reject it, or give it a category; an edit without a category is polish. A
judge says so by its verdict; without one by a score under SCORE_FAILS, else by a category. Rejecting without naming a
category says nothing of any category, and a label whose only categories are in quarantine says nothing at all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.urls import reverse
from django.utils import timezone

from codebook import standing
from codebook.agreement import measured
from codebook.agreement.statistics import Figure
from codebook.judges import calibration
from codebook.judges import reports as judges
from codebook.judges.calibration import Calibration, Pair
from codebook.judges.machine import signed
from codebook.judges.reports import WHOLE, Json, Measured
from codebook.judges.shown import Shown, when_shown
from codebook.models import Codebook, Label
from codebook.standing import Standing
from codebook.versions import NoCodebook
from hitl.jobs import progress as jobs
from queues.judging import REJECT
from queues.models import Queue, Slot

SCORE_FAILS: Final = 0.5
DECIMALS: Final = 6
DIFFERENCES_KEPT: Final = 200
UNKNOWN_KEYS_KEPT: Final = 20


class Row(NamedTuple):
    """A verdict, and the answer that stands on its case, if a person gave one."""

    case_id: int
    position: str
    verdict: str
    score: float | None
    categories: list[str]
    kept: bool
    label_id: int | None
    version_id: int | None
    human: str | None
    purpose: str | None
    given: list[int] | None
    at: datetime | None
    length: int | None
    queue_id: int
    came_with: bool


@dataclass(slots=True)
class _Found:
    """What is collected of one judge."""

    pairs: list[Pair] = field(default_factory=list)
    by_category: dict[int, list[Pair]] = field(default_factory=lambda: defaultdict(list))
    present: Counter[int] = field(default_factory=Counter)
    judged: int = 0
    fails: int = 0
    said_nothing: int = 0
    of_categories: int = 0
    kept: int = 0
    shown: int = 0
    in_quarantine: int = 0
    versions: set[int] = field(default_factory=set)
    unknown: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[int, Json]] = field(default_factory=list)
    positions: list[dict[str, bool]] = field(default_factory=list)


def run(job_id: int, codebook_id: int) -> None:
    """The worker's part: measures, and keeps the reports."""
    codebook = Codebook.objects.get(pk=codebook_id)
    try:
        found = measure(codebook, now=timezone.now(), job_id=job_id)
    except NoCodebook:
        raise jobs.JobFailed("Nothing of this codebook is published, so there is nothing to measure.") from None
    judges.keep(codebook=codebook, found=found, now=timezone.now())
    said = "No judge has spoken of its cases in this time." if not found else f"{len(found)} were measured."
    url = reverse("codebook_judges", args=[codebook.slug])
    jobs.finish(job_id, {"sentence": said, "url": url, "link": "See the judges"})


def measure(codebook: Codebook, *, now: datetime, job_id: int | None = None) -> list[Measured]:
    """Every judge, version and prompt that spoke in the window. Raises NoCodebook."""
    stands = standing.standing(codebook.pk)
    newest = [judges.newest(), measured.newest_label(codebook.pk)]
    queues = list(Queue.objects.filter(codebook_use__codebook=codebook))
    shown = when_shown(queues)
    asked: Json = {"queues": [queue.pk for queue in queues], "since": now - judges.WINDOW, "until": now}
    with connection.cursor() as cursor:
        cursor.execute(_SPEAKERS, asked)
        speakers = cursor.fetchall()
    found = []
    for done, (judge, version, prompt) in enumerate(speakers):
        if job_id is not None:
            jobs.advance(job_id, done, len(speakers))
        rows = _rows({**asked, "judge": judge, "version": version, "prompt": prompt}, shown.queues)
        result = report(rows, stands, shown)
        result |= {"newest": newest, "audits": audits(codebook.pk, signed(judge, version), stands)}
        found.append(Measured(judge, version, prompt, result))
    return found


def report(rows: Iterator[Row], stands: Standing, shown: Shown) -> Json:
    """The figures of one judge from its verdicts, those of a case one after the other."""
    found = _collected(rows, stands, shown)
    whole = calibration.calibrate(calibration.confusion(found.pairs), fails=found.fails, judged=found.judged)
    categories = [
        {
            "key": category.key,
            "title": category.title,
            **_figures(
                calibration.calibrate(
                    calibration.confusion(found.by_category[category.pk]),
                    fails=found.present[category.pk],
                    judged=found.of_categories,
                )
            ),
        }
        for category in stands.newest.categories
        if found.unknown or found.present
    ]
    figures = _figures(whole)
    position = calibration.position_bias(found.positions)
    alarms = [WHOLE] * judges.is_alarming(figures) + [one["key"] for one in categories if judges.is_alarming(one)]
    found.differences.sort(key=lambda one: -one[0])
    return {
        WHOLE: figures,
        "categories": categories,
        "alarms": alarms,
        "pairs": len(found.pairs),
        "judged": found.judged,
        "said_nothing": found.said_nothing,
        "kept": found.kept,
        "shown": found.shown,
        "in_quarantine": found.in_quarantine,
        "unknown_categories": found.unknown.most_common(UNKNOWN_KEYS_KEPT),
        "length": [_bias(one) for one in calibration.length_bias(found.pairs)],
        "position": {"flips": _json(position.flips), "prefers": _json(position.prefers)} if position else None,
        "differences": [one for _, one in found.differences[:DIFFERENCES_KEPT]],
        "differ": len(found.differences),
        "versions": sorted(stands.numbers[pk] for pk in found.versions),
        "versions_in_words": standing.words(stands),
    }


def judge_fails(verdict: str, score: float | None, categories: Sequence[str]) -> bool | None:
    """None where the judge said nothing that can be read."""
    if verdict:
        return verdict == REJECT
    if score is not None:
        return score < SCORE_FAILS
    return True if categories else None


def human_fails(verdict: str, given: Sequence[int], stands: Standing) -> bool | None:
    """None where the label's only categories are in quarantine."""
    if verdict == Label.Verdict.REJECT or any(category in stands.counts_as for category in given):
        return True
    return None if given else False


def audits(codebook_id: int, rater_name: str, stands: Standing) -> list[Json]:
    """By quarter, newest first: of each stratum the judge's labels, those asked about, decided and disagreed with."""
    asked: Json = {"codebook": codebook_id, "rater": rater_name}
    with connection.cursor() as cursor:
        cursor.execute(_MACHINE, asked)
        labels = {(quarter, verdict, risk): count for quarter, verdict, risk, count in cursor.fetchall()}
        cursor.execute(_AUDITED, asked)
        found: dict[tuple[str, str, int], Counter[str]] = defaultdict(Counter)
        for quarter, verdict, risk, human, given in cursor.fetchall():
            counts = found[quarter, verdict, risk]
            counts["asked"] += 1
            fails = None if human is None else human_fails(human, given or (), stands)
            if fails is not None:
                counts["decided"] += 1
                counts["disagreed"] += fails != (verdict == REJECT)
                counts["edited"] += human == Label.Verdict.EDIT
    quarters: dict[str, list[Json]] = defaultdict(list)
    for (quarter, verdict, risk), count in sorted(labels.items()):
        counts = found[quarter, verdict, risk]
        rate = calibration.disagreement([(count, counts["decided"], counts["disagreed"])])
        numbers = {name: counts[name] for name in ("asked", "decided", "disagreed", "edited")}
        quarters[quarter].append({"verdict": verdict, "risk": risk, "labels": count, **numbers, "rate": _json(rate)})
    return [
        {
            "quarter": quarter,
            "strata": strata,
            "labels": sum(one["labels"] for one in strata),
            "rate": _json(
                calibration.disagreement([(one["labels"], one["decided"], one["disagreed"]) for one in strata])
            ),
        }
        for quarter, strata in sorted(quarters.items(), reverse=True)
    ]


def _rows(asked: Json, shown: Sequence[int]) -> Iterator[Row]:
    # A cursor of the server's: of a million verdicts only some thousand are here at a time.
    with connection.chunked_cursor() as cursor:
        cursor.execute(_VERDICTS, {**asked, "shown": list(shown)})
        for row in cursor:
            yield Row(*row)


def _collected(rows: Iterator[Row], stands: Standing, shown: Shown) -> _Found:
    found = _Found()
    by_key = {category.key: category.pk for category in stands.newest.categories}
    positions: dict[str, bool] = {}
    last = None
    for row in rows:
        fails = judge_fails(row.verdict, row.score, row.categories)
        if row.case_id != last:
            last, positions = row.case_id, {}
            # Of a case that was judged in several positions, the first verdict counts.
            _count(row, fails, found, stands, shown, by_key)
        if fails is not None and row.position:
            positions[row.position] = fails
            if len(positions) == 2:
                found.positions.append(positions)
    return found


def _count(row: Row, fails: bool | None, found: _Found, stands: Standing, shown: Shown, by_key: dict[str, int]) -> None:
    found.kept += row.kept
    if fails is None:
        found.said_nothing += 1
        return
    found.judged += 1
    found.fails += fails
    seen = {by_key[key] for key in row.categories if key in by_key}
    found.unknown.update(key for key in row.categories if key not in by_key)
    speaks = bool(row.categories) or not fails
    found.of_categories += speaks
    found.present.update(seen)
    if row.version_id is None or row.version_id not in stands.numbers or row.human is None or row.at is None:
        return
    if row.came_with and row.purpose != Slot.Purpose.JUDGE_AUDIT and shown.at(row.queue_id, row.at):
        found.shown += 1
        return
    given = row.given or []
    human = human_fails(row.human, given, stands)
    if human is None:
        found.in_quarantine += 1
        return
    found.versions.add(row.version_id)
    found.pairs.append(Pair(fails, human, row.length or 0))
    if fails != human:
        found.differences.append((row.label_id or 0, {"case": row.case_id, "judge": fails, "human": row.human}))
    if not speaks or (row.human == Label.Verdict.REJECT and not given):
        return
    present = {stands.counts_as[category] for category in given if category in stands.counts_as}
    for category, versions in stands.judged_under.items():
        if row.version_id in versions:
            found.by_category[category].append(Pair(category in seen, category in present))


def _figures(found: Calibration) -> Json:
    names = ("kappa", "sensitivity", "specificity", "raw", "corrected")
    return {"table": asdict(found.table), **{name: _json(getattr(found, name)) for name in names}}


def _bias(one: calibration.LengthBias) -> Json:
    return {"human": one.human, "short": _json(one.short), "long": _json(one.long), "difference": _json(one.difference)}


def _json(figure: Figure) -> Json:
    def rounded(number: float | None) -> float | None:
        return None if number is None else round(number, DECIMALS)

    return {
        "value": rounded(figure.value),
        "low": rounded(figure.low),
        "high": rounded(figure.high),
        "n": figure.n_items,
        "reason": figure.reason,
    }


_SPEAKERS: Final = """
select distinct said.judge, said.judge_version, said.prompt
from queues_judgeverdict said join queues_case told on told.id = said.case_id
where said.given_at between %(since)s and %(until)s and told.queue_id = any(%(queues)s)
order by 1, 2, 3
"""
_VERDICTS: Final = """
select said.case_id, said.position, said.verdict, said.score, said.categories, told.state = 'machine',
  label.id, label.version_id, label.verdict, batch.purpose, given.ids, label.created_at,
  case when label.id is not null then length(told.draft) end, told.queue_id,
  case when label.id is not null and told.queue_id = any(%(shown)s)
    then told.assessment -> 'sent' -> 'judges' is not null else false end
from queues_judgeverdict said
join queues_case told on told.id = said.case_id
left join lateral (
  select final.label_id from codebook_finallabel final where final.case_id = said.case_id) final on true
left join codebook_label label on label.id = final.label_id
left join codebook_labelbatch batch on batch.id = label.batch_id
left join lateral (
  select array_agg(given.category_id) as ids from codebook_labelcategory given where given.label_id = label.id
) given on true
where said.judge = %(judge)s and said.judge_version = %(version)s and said.prompt = %(prompt)s
  and said.given_at between %(since)s and %(until)s and told.queue_id = any(%(queues)s)
order by said.case_id, said.id
"""
_QUARTER: Final = """to_char(kept.labelled_at at time zone 'UTC', 'YYYY-"Q"Q')"""
_MACHINE: Final = f"""
select {_QUARTER}, label.verdict, told.risk, count(*)
from codebook_version version
join codebook_label label on label.version_id = version.id and label.rater = 'judge' and label.undone_at is null
join queues_judgekept kept on kept.case_id = label.case_id
join queues_case told on told.id = label.case_id
where version.codebook_id = %(codebook)s and label.rater_name = %(rater)s
group by 1, 2, 3
"""  # noqa: S608 -- names of columns
_AUDITED: Final = """
select audit.quarter, judged.verdict, told.risk, answer.verdict, given.ids
from codebook_judgeaudit audit
join codebook_label judged on judged.id = audit.label_id
join queues_case told on told.id = judged.case_id
left join lateral (
  select label.id, label.verdict from codebook_label label
  where label.slot_id = audit.slot_id and label.undone_at is null order by label.id desc limit 1
) answer on true
left join lateral (
  select array_agg(given.category_id) as ids from codebook_labelcategory given where given.label_id = answer.id
) given on true
where audit.codebook_id = %(codebook)s and judged.rater_name = %(rater)s
"""
