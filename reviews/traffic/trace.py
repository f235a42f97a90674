"""What was said of one trace: its users' signals in their order, judges' verdicts, and the case it became."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.utils.safestring import SafeString

from hitl import textdiff
from hitl.models import User
from queues import seconds
from queues.models import JudgeVerdict, Sampled, Signal, Trace
from queues.traces import told
from queues.traces.consent import FLAGS, Use, allowed
from queues.traces.told import Became
from queues.traces.words import said

LISTED: Final = 200
CHANGES: Final = (Signal.Type.USER_EDIT, Signal.Type.COPY_EDIT)
# Longer texts, and more edits, are shown as they came: comparing them would take longer than anyone waits.
COMPARED: Final = 50_000
EDITS: Final = 10


@dataclass(frozen=True, slots=True)
class Told:
    """A signal on the page. `difference` is an edit beside the output; `may` says in words what it may be used for."""

    signal: Signal
    words: str
    text: str
    difference: SafeString | None
    may: str


@dataclass(frozen=True, slots=True)
class Case:
    """The case that a trace became, and how, in a sentence."""

    became: Became
    how: str


def signals(trace: Trace) -> list[Told]:
    """In the order in which they were given, the first LISTED of them."""
    found = Signal.objects.filter(trace_id=trace.pk, tenant=trace.tenant).order_by("at", "id")[:LISTED]
    edits = [signal.pk for signal in found if signal.type in CHANGES and signal.text][:EDITS]
    return [_told(signal, trace, compares=signal.pk in edits) for signal in found]


def _told(signal: Signal, trace: Trace, *, compares: bool) -> Told:
    difference = None
    if compares and len(trace.output) + len(signal.text) <= COMPARED:
        difference = textdiff.to_html(textdiff.diff(trace.output, signal.text))
    text = "" if difference is not None else signal.text
    return Told(signal, said(signal.type, signal.value, signal.reason), text, difference, _may(signal))


def _may(signal: Signal) -> str:
    if signal.withdrawn_at:
        return "taken back by the user"
    uses = [str(use.label).lower() for use in Use if allowed(signal, use)]
    return ", ".join(uses) if len(uses) < len(FLAGS) else "evaluation, retrieval and training"


def became(trace: Trace, user: User) -> Case | None:
    found = told.cases(trace.tenant, [trace.external_id], user).get(trace.external_id)
    if found is None:
        return None
    sampled = Sampled.objects.filter(tenant=trace.tenant, trace_id=trace.pk).only("policy").first()
    if sampled is None:
        return Case(found, "It was escalated by the application.")
    if sampled.policy == Sampled.Policy.BY_HAND:
        return Case(found, "A lead sent it.")
    return Case(found, f"The sampler picked it: {sampled.get_policy_display().lower()}.")


def verdicts(trace: Trace, case: Case | None, user: User) -> Sequence[JudgeVerdict] | None:
    """What judges said of the trace or its case; None where the person may yet decide the case, and is not to know."""
    about = Q(tenant=trace.tenant, case=None, trace_id=trace.external_id)
    if case:
        if seconds.undecided(user).filter(case=case.became.pk).exists():
            return None
        about |= Q(case=case.became.pk)
    return list(JudgeVerdict.objects.filter(about).order_by("given_at", "pk")[:LISTED])
