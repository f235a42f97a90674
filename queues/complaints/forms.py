"""The forms of complaints: a new one, what is done with one, and looking for its trace."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms

from queues.complaints.settling import Refused
from queues.intake.complaint_schema import TEXT_LONGEST
from queues.models import Signal


class When(forms.DateTimeField):
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ComplaintForm(forms.Form):
    """A ticket, pasted. It goes through the same door as those of the API."""

    text = forms.CharField(
        label="What was said", max_length=TEXT_LONGEST, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="The ticket or the thread. Personal data is taken out before it is stored.",
    )  # fmt: skip
    complaint_id = forms.CharField(label="Ticket number", required=False, max_length=200)
    channel = forms.CharField(label="Where", required=False, max_length=40, help_text="Ticket, chat, phone …")
    user_key = forms.CharField(
        label="User key", required=False, max_length=80, help_text="As your product sends it: the surest clue."
    )
    about = When(label="When the answer was given", required=False, help_text="As far as the user said so.")

    def row(self) -> dict[str, Any]:
        """As the public contract has it."""
        given = {name: value for name, value in self.cleaned_data.items() if value}
        about: datetime | None = given.get("about")
        return given | ({"about": about.astimezone(UTC).isoformat()} if about else {})


class LinkForm(forms.Form):
    """The trace that is meant, and what went wrong there, as the user sees it."""

    trace = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(label="What went wrong", choices=Signal.Reason.choices, initial=Signal.Reason.OTHER)

    def given(self) -> tuple[UUID, Signal.Reason]:
        """Raises Refused for what cannot be."""
        if not self.is_valid():
            raise Refused("Choose one of the traces, and one of the reasons. Nothing was changed.")
        return self.cleaned_data["trace"], Signal.Reason(self.cleaned_data["reason"])


class DismissForm(forms.Form):
    because = forms.CharField(
        label="Why", max_length=500, help_text="Such as: about the app, not about an answer. It stays with it."
    )


class SearchForm(forms.Form):
    """Other traces than those proposed: by words, user or trace number, about a time."""

    words = forms.CharField(label="Words in it", required=False, max_length=200)
    user_key = forms.CharField(label="User key", required=False, max_length=200)
    trace_id = forms.CharField(label="Trace number", required=False, max_length=200)
    around = forms.DateField(label="Around", required=False, widget=forms.DateInput(attrs={"type": "date"}))
