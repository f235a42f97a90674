"""Reads what a reviewer sent. What cannot be read is refused with a sentence; nothing is guessed."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict

from codebook.models import Label
from reviews.given import Found, Given, Invalid
from reviews.models import Finding

LONGEST = 200_000
MOST_FINDINGS = 100
TEXTS = {
    "better_query": Finding.Kind.BETTER_QUERY,
    "policy_reason": Finding.Kind.POLICY_REASON,
    "new_failure_mode": Finding.Kind.NEW_FAILURE_MODE,
    "note": Finding.Kind.NOTE,
}


def given(post: QueryDict) -> Given:
    """The decision in a form. Raises Invalid, in words."""
    verdict = post.get("verdict", "")
    if verdict not in Label.Verdict.values:
        raise Invalid("Choose accept, edit or reject.")
    return Given(
        verdict=Label.Verdict(verdict),
        version_id=whole(post, "version"),
        category_ids=frozenset(_numbers(post.getlist("category"))),
        final_answer=_text(post.get("final_answer", "")),
        findings=tuple(_findings(post)),
        handling_ms=whole(post, "handling_ms", 0),
    )


def content(post: QueryDict) -> dict[str, object]:
    """What autosave keeps: whatever is there, without asking whether it could be decided yet. Raises Invalid."""
    return {
        "final_answer": _text(post.get("final_answer", "")),
        "editing": post.get("editing") == "1",
        "categories": sorted(_numbers(post.getlist("category"))),
        "findings": [
            {"kind": one.kind, "text": one.text, "document_id": one.document_id, "indexed": one.indexed}
            for one in _findings(post)
        ],
    }


def whole(post: QueryDict, name: str, default: int | None = None) -> int:
    """A whole number of the form. Raises Invalid."""
    value = post.get(name, "")
    if not value and default is not None:
        return default
    return _number(value)


def pk_of(post: QueryDict, name: str) -> int:
    """The number of a thing of the form; 0, which is the number of none, where it cannot be read."""
    value = post.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def painted(post: QueryDict) -> tuple[int, int] | None:
    """The slot and token that the browser has on deck, or shows by now; None if there is none."""
    slot, token = post.get("next_slot", ""), post.get("next_token", "")
    return (_number(slot), _number(token)) if slot and token else None


def _findings(post: QueryDict) -> Iterator[Found]:
    documents = post.getlist("incorrect")
    if len(documents) > MOST_FINDINGS:
        raise Invalid(f"At most {MOST_FINDINGS} documents can be marked.")
    for document in documents:
        yield Found(Finding.Kind.INCORRECT_EVIDENCE, document_id=_text(document)[:500])
    missing, why = _text(post.get("missing_document", "")).strip(), _text(post.get("missing_note", "")).strip()
    if missing or why:
        indexed = post.get("missing_indexed", "")
        yield Found(
            Finding.Kind.MISSING_EVIDENCE,
            text=why,
            document_id=missing[:500],
            indexed=indexed if indexed in Finding.Indexed.values else "",
        )
    for name, kind in TEXTS.items():
        if text := _text(post.get(name, "")).strip():
            yield Found(kind, text=text)


def _text(value: str) -> str:
    if len(value) > LONGEST:
        raise Invalid(f"The text is longer than {LONGEST:,} characters. Shorten it.")
    return value.replace("\x00", "")


def _numbers(values: list[str]) -> list[int]:
    return [_number(value) for value in values]


def _number(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Invalid("The form was not whole. Reload the page; your text is kept.")
    return int(value)


class DeferForm(forms.Form):
    """Until when a case is put aside, in the reviewer's own time zone, and why."""

    WHEN = [
        ("hour", "In an hour"),
        ("afternoon", "This afternoon, 14:00"),
        ("tomorrow", "Tomorrow, 9:00"),
        ("week", "In a week, 9:00"),
        ("at", "At a time of my choice"),
    ]
    when = forms.ChoiceField(choices=WHEN, initial="hour", widget=forms.RadioSelect)
    at = forms.DateTimeField(required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    reason = forms.CharField(max_length=500)

    def until(self, now: datetime, zone: str) -> datetime:
        """The moment chosen. Raises Invalid if it is not ahead, or further than 90 days."""
        local = now.astimezone(ZoneInfo(zone))
        match self.cleaned_data["when"]:
            case "hour":
                until = now + timedelta(hours=1)
            case "afternoon":
                until = datetime.combine(local.date(), time(14), local.tzinfo)
            case "tomorrow":
                until = datetime.combine(local.date() + timedelta(days=1), time(9), local.tzinfo)
            case "week":
                until = datetime.combine(local.date() + timedelta(days=7), time(9), local.tzinfo)
            case _:
                chosen = self.cleaned_data["at"]
                if not chosen:
                    raise Invalid("Say until when.")
                until = chosen.replace(tzinfo=local.tzinfo)
        if not now < until <= now + timedelta(days=90):
            raise Invalid("Choose a time that is ahead, and within 90 days.")
        return until


class ReasonForm(forms.Form):
    """Why a case is passed on or handed up."""

    reason = forms.CharField(max_length=500)
    colleague = forms.IntegerField(required=False)
