"""Alignment: the disagreements of a period as an agenda to go through together, with agreement before and after."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from codebook.adjudication.disagreement import most_confused, take_apart
from codebook.models import AlignmentSession, Codebook, Disagreement
from codebook.standing import standing
from hitl.audit import log
from hitl.jobs import progress
from hitl.models import Job, User

TASK: Final = "codebook.adjudication.alignment_measuring.run"
PERIOD: Final = timedelta(days=30)
LONGEST_AGENDA: Final = 100
# What came after a session is measured again while it is news.
FOLLOWED: Final = timedelta(days=90)
AGAIN_AFTER: Final = timedelta(days=1)


class NotOpened(ValueError):
    """There is no session to open, or no such change to make; the message says why."""


def period(codebook: Codebook, now: datetime) -> datetime:
    """Since when a session would look back: since the last one, else for 30 days."""
    last = codebook.alignments.order_by("-pk").first()
    return last.until if last else now - PERIOD


@transaction.atomic
def open_session(*, codebook: Codebook, by: User, now: datetime) -> AlignmentSession:
    """A session over the disagreements since the last one, most confused first, and the measuring of how it was before.

    Raises NotOpened: where one is open, nothing is on the agenda, or somebody else has the last word.
    """
    Codebook.objects.select_for_update(no_key=True).get(pk=codebook.pk)
    _check_owner(codebook, by)
    if codebook.alignments.filter(closed_at=None).exists():
        raise NotOpened("A session is open. Close it first; then the next begins where it ended.")
    since = period(codebook, now)
    found = Disagreement.objects.filter(codebook=codebook, opened_at__gte=since, opened_at__lt=now)
    disputes = most_confused(take_apart(found, standing(codebook.pk))) if found.exists() else []
    if not disputes:
        raise NotOpened(f"Nobody has disagreed since {since:%-d %B %Y}, so there is nothing to talk about.")
    session = AlignmentSession.objects.create(
        codebook=codebook, since=since, until=now, opened_by=by, opened_at=now,
        agenda=[one.disagreement.pk for one in disputes[:LONGEST_AGENDA]],
    )  # fmt: skip
    _measure(session, by)
    _record("alignment.opened", session, by, {"disagreements": len(session.agenda)})
    return session


@transaction.atomic
def write(*, session: AlignmentSession, note: str, by: User) -> None:
    """What was agreed, for all who read the codebook."""
    locked = _locked(session, by)
    if locked.note != note:
        locked.note = note
        locked.save(update_fields=["note"])
        _record("alignment.noted", locked, by)


@transaction.atomic
def close(*, session: AlignmentSession, by: User, now: datetime) -> None:
    """From now on labels count as after it. Raises NotOpened if it is closed already."""
    locked = _locked(session, by)
    if locked.closed_at:
        raise NotOpened("This session is closed already.")
    locked.closed_at = now
    locked.save(update_fields=["closed_at"])
    _record("alignment.closed", locked, by)


def follow(now: datetime) -> int:
    """Chore: has what came after the sessions of the last 90 days measured, each once a day; how many."""
    begun = 0
    for session in AlignmentSession.objects.filter(closed_at__gt=now - FOLLOWED).select_related("codebook"):
        measured = session.after and datetime.fromisoformat(session.after["until"])
        if now - (measured or session.closed_at or now) >= AGAIN_AFTER:
            begun += _measure(session, None)
    return begun


def running(session: AlignmentSession) -> Job | None:
    """The job that measures it now."""
    return progress.running(_kind(session))


def _measure(session: AlignmentSession, by: User | None) -> bool:
    title = f"Measuring agreement around a session on {session.codebook.title}"
    _, is_new = progress.start_once(kind=_kind(session), title=title, user=by, task=TASK, args=[session.pk])
    return is_new


def _kind(session: AlignmentSession) -> str:
    return f"alignment:{session.pk}"


def _locked(session: AlignmentSession, by: User) -> AlignmentSession:
    locked = AlignmentSession.objects.select_for_update(of=("self",)).select_related("codebook__owner")
    found = locked.get(pk=session.pk)
    _check_owner(found.codebook, by)
    return found


def _check_owner(codebook: Codebook, by: User) -> None:
    if codebook.owner_id != by.pk:
        raise NotOpened(f"Only {codebook.owner.name} has the last word on “{codebook.title}”.")


def _record(action: str, session: AlignmentSession, by: User, detail: dict[str, Any] | None = None) -> None:
    log.append(
        actor=by, action=action, subject=f"codebook:{session.codebook_id}", tenant_id=None,
        detail={"session": session.pk, **(detail or {})},
    )  # fmt: skip
