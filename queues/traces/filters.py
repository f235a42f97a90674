"""The filters of the list of traces, as they are typed and as they are looked for."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.utils import timezone

from hitl.models import Tenant
from queues.models import Signal
from queues.traces import consent, listing
from queues.traces.listing import Wanted

PERIODS: Final = (("1", "24 hours"), ("7", "7 days"), ("14", "14 days"), ("30", "30 days"), ("90", "90 days"))
USUAL: Final = "14"
# What a clock that runs ahead may have sent lies in the newest hours, too.
AHEAD: Final = timedelta(minutes=10)


class TracesForm(forms.Form):
    """What does not filter is left empty; nonsense in an address filters nothing, and is said at its field."""

    order = forms.ChoiceField(
        label="Order", required=False,
        choices=[(listing.BY_SIGNALS, "Edits, then the worst"), (listing.BY_TIME, "Newest first")],
    )  # fmt: skip
    days = forms.ChoiceField(label="Period", required=False, choices=PERIODS)
    until = forms.DateField(
        label="Up to the end of", required=False, widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip
    signal = forms.ChoiceField(label="Signal", required=False, choices=[("", "Any or none"), *Signal.Type.choices])
    topic = forms.CharField(required=False, max_length=120)
    release = forms.CharField(required=False, max_length=120)
    prompt_version = forms.CharField(label="Prompt version", required=False, max_length=120)
    model = forms.CharField(required=False, max_length=120)
    language = forms.CharField(required=False, max_length=35)
    user_key = forms.CharField(label="User key", required=False, max_length=200)
    words = forms.CharField(label="Words in it", required=False, max_length=200)
    is_case = forms.ChoiceField(
        label="Case", required=False, choices=[("", "Either"), ("no", "Not a case yet"), ("yes", "A case already")]
    )
    negative = forms.BooleanField(label="Negative only", required=False)
    edited = forms.BooleanField(label="Edited only", required=False)

    # Those that stand open; the others are asked for.
    FIRST = ("order", "days", "topic", "signal")
    TICKS = ("negative", "edited")
    MORE = ("release", "prompt_version", "model", "language", "user_key", "words", "is_case", "until")

    def __init__(self, data: Any, *, choices: dict[str, list[str]]) -> None:
        super().__init__({"order": listing.BY_SIGNALS, "days": USUAL} | {key: data[key] for key in data})
        self.known = {f"known-{name}": values for name, values in choices.items()}
        for name in choices:
            self.fields[name].widget.attrs |= {"list": f"known-{name}", "autocomplete": "off"}

    @property
    def first(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST]

    @property
    def ticks(self) -> list[forms.BoundField]:
        return [self[name] for name in self.TICKS]

    @property
    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in self.MORE]

    @property
    def chosen(self) -> dict[str, str]:
        """What filters, as it stands in an address; order and period aside."""
        given = {name: str(self.cleaned_data.get(name) or "") for name in (*self.FIRST[2:], *self.TICKS, *self.MORE)}
        return {name: value for name, value in given.items() if value}

    @property
    def has_more(self) -> bool:
        return bool(set(self.chosen) & set(self.MORE)) or bool(set(self.errors) & set(self.MORE))

    @property
    def query(self) -> str:
        """The address of this list, without a place in it."""
        fixed = {"order": self.cleaned_data.get("order"), "days": self.cleaned_data.get("days")}
        return urlencode({name: value for name, value in fixed.items() if value} | self.chosen)

    def wanted(self, tenant: Tenant, now: datetime) -> Wanted:
        """The period ends now, or with the day that was chosen, in the reader's zone."""
        self.full_clean()
        given = self.cleaned_data
        until = now + AHEAD
        if day := given.get("until"):
            until = timezone.make_aware(datetime.combine(day, time()) + timedelta(days=1)).astimezone(UTC)
        same = {name: given.get(name) or "" for name in (*listing.EQUAL, "signal", "words")}
        return Wanted(
            tenant_id=tenant.pk,
            since=until - timedelta(days=int(given.get("days") or USUAL)),
            until=until,
            order=given.get("order") or listing.BY_SIGNALS,
            user_key=consent.cleaned_key(given.get("user_key") or "", tenant),
            negative=bool(given.get("negative")),
            edited=bool(given.get("edited")),
            is_case={"yes": True, "no": False}.get(given.get("is_case") or ""),
            **same,
        )
