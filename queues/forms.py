"""Forms of queues, calendars and the unrouted tray. They check what was typed; the verbs do what follows."""

import re
import zoneinfo
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from hitl.access import authorities
from hitl.access.forms import WordsField
from queues import doors
from queues.calendars import DAYS, BusinessCalendar
from queues.json_values import Refused
from queues.models import Calendar, Queue

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NEW = "new"


class ListField(forms.CharField):
    """Entries with commas or new lines between them (`lines`: new lines alone), as a list without repeats."""

    def __init__(self, *, longest: int = 200, most: int = 200, lines: bool = False, **kwargs: Any) -> None:
        self.longest, self.most, self.between = longest, most, "\n" if lines else ", "
        super().__init__(**{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return self.between.join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        found = (
            value
            if isinstance(value, list)
            else re.split("\n" if self.between == "\n" else "[,\n]", super().to_python(value) or "")
        )
        entries = list(dict.fromkeys(entry.strip() for entry in found if entry.strip()))
        if len(entries) > self.most:
            raise ValidationError(f"These are {len(entries)} entries; at most {self.most} are taken.")
        if too_long := next((entry for entry in entries if len(entry) > self.longest), None):
            raise ValidationError(f"“{too_long[:40]}…” is longer than {self.longest} characters.")
        return entries


class AuthorityField(forms.CharField):
    """An authority such as finance.refund.L2, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 80, **kwargs})

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            try:
                authorities.parse(value)
            except ValueError as fault:
                raise ValidationError(str(fault)) from None


class QueueForm(forms.ModelForm):
    """All that a lead sets on a queue; the short name only once."""

    second_percent = forms.DecimalField(
        label="Second decisions, in %", min_value=0, max_value=100, decimal_places=1, initial=Decimal("10"),
        help_text="Drawn at random; a second person decides them too, which shows how far people agree.",
    )  # fmt: skip
    raters = forms.IntegerField(
        label="People per chosen case", min_value=2, max_value=5, initial=2,
        help_text="How many decide such a case independently, the first one included: 2 to 5.",
    )  # fmt: skip
    judge_first = forms.CharField(
        label="Judge whose word is enough", required=False, max_length=120,
        help_text="Its name, as the application sends it. Where it is sure, nobody is asked: never at a high risk, and "
        "never where something else than doubt asks for a person. Empty: people decide all.",
    )  # fmt: skip
    judge_sure_percent = forms.DecimalField(
        label="How sure it must say it is, in %", min_value=Decimal("0.1"), max_value=100, decimal_places=1,
        initial=Decimal("90"), help_text="Its confidence. A verdict without one always goes to a person.",
    )  # fmt: skip
    judge_audit_percent = forms.DecimalField(
        label="Of those, how many people decide all the same, in %", min_value=Decimal("0.1"), max_value=100,
        decimal_places=1, initial=Decimal("5"),
        help_text="Drawn at random each quarter, at least 10 of each kind: it shows how often people disagree.",
    )  # fmt: skip
    notify_emails = WordsField(
        label="E-mail when a deadline passes", required=False, help_text="Addresses, with commas between them."
    )
    hand_up_to = AuthorityField(
        label="Hand up to",
        help_text="The authority that a case without one goes up to, such as finance.refund.L1.",
    )

    class Meta:
        model = Queue
        fields = [
            "name", "slug", "description", "is_active", "sla", "sla_amount", "calendar", "lease_minutes",
            "undo_seconds", "second_percent", "raters", "shows_judge", "judge_first", "judge_sure_percent",
            "judge_audit_percent", "hand_up_to", "notify_emails",
        ]  # fmt: skip
        labels = {
            "slug": "Short name",
            "is_active": "Hands out cases",
            "sla": "Deadline",
            "sla_amount": "How many",
            "lease_minutes": "Minutes that a case is kept for a reviewer",
            "undo_seconds": "Seconds in which a decision can be taken back",
            "shows_judge": "Show the reviewer what the automatic judge said",
        }
        help_texts = {
            "slug": "Lower-case letters, digits and hyphens: it stands in addresses and never changes.",
            "is_active": "Switched off, no rule sends it a case and nobody gets one from it; what waits stays.",
            "sla": "Counted from the moment a case comes in. An earlier deadline of the application counts instead.",
            "sla_amount": "Minutes or days, as chosen above; 0 where there is no deadline.",
            "calendar": "Whose working hours and holidays count. Needed for working time and working days.",
            "lease_minutes": "Without a sign of life for so long, the case goes to the next reviewer.",
            "undo_seconds": "The verdict goes back to the application when they are over.",
            "shows_judge": "It draws people toward the judge's word: leave it off while you measure either of them.",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        calendar = self.fields["calendar"]
        assert isinstance(calendar, forms.ModelChoiceField)
        calendar.queryset, calendar.empty_label = doors.calendars(user).order_by("name"), "None"
        if self.instance.pk:
            del self.fields["slug"]
            for name, share in (
                ("second_percent", self.instance.second_share),
                ("judge_sure_percent", self.instance.judge_sure),
                ("judge_audit_percent", self.instance.judge_audit_share),
            ):
                self.initial[name] = f"{float(share) * 100:.4g}"

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if slug == NEW:
            raise ValidationError("A queue cannot be called “new”: that is the address of this form.")
        if Queue.objects.filter(slug=slug).exists():
            raise ValidationError("This short name is taken; choose another.")
        return slug

    def clean_notify_emails(self) -> list[str]:
        addresses: list[str] = self.cleaned_data["notify_emails"]
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"“{address}” is not an e-mail address.") from None
        return addresses

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("sla") not in (None, Queue.Sla.NONE) and not given.get("sla_amount"):
            self.add_error("sla_amount", "Say how many: a deadline needs at least 1.")
        if str(given.get("sla", "")).startswith("business") and not given.get("calendar"):
            self.add_error("calendar", "Choose a calendar: working time is counted in its hours.")
        if given.get("lease_minutes") == 0:
            self.add_error("lease_minutes", "At least 1 minute.")
        return given

    def values(self) -> dict[str, Any]:
        """The fields of the queue, ready for the verb."""
        given = dict(self.cleaned_data)
        return {
            "second_share": given.pop("second_percent") / 100,
            "judge_sure": float(given.pop("judge_sure_percent") / 100),
            "judge_audit_share": given.pop("judge_audit_percent") / 100,
            **given,
        }


class CalendarForm(forms.Form):
    """Working hours, one field a day, such as 09:00-12:00, 13:00-17:00."""

    name = forms.CharField(max_length=80)
    time_zone = forms.ChoiceField(label="Time zone")
    country = forms.CharField(
        max_length=2, required=False, label="Country, for its public holidays", help_text="A code such as AT or US."
    )
    subdivision = forms.CharField(
        max_length=10, required=False, label="Part of the country", help_text="Where its holidays differ, such as BY."
    )
    extra_holidays = ListField(label="Other days off", longest=10, most=366, help_text="Dates such as 2026-12-24.")

    def __init__(self, data: Any = None, *, calendar: Calendar | None = None) -> None:
        self.calendar = calendar
        super().__init__(data, initial=_initial(calendar))
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = [(zone, zone) for zone in ["UTC", *zones]]
        for day, words in zip(DAYS, DAY_NAMES, strict=True):
            self.fields[day] = ListField(label=words, longest=11, most=6)
        self.order_fields(["name", "time_zone", *DAYS])

    @property
    def day_fields(self) -> list[forms.BoundField]:
        return [self[day] for day in DAYS]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = Calendar.objects.exclude(pk=self.calendar.pk) if self.calendar else Calendar.objects.all()
        if others.filter(name=name).exists():
            raise ValidationError("There is a calendar of this name; choose another.")
        return name

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.business = BusinessCalendar.from_json(
                    {
                        "name": given["name"],
                        "time_zone": given["time_zone"],
                        "hours": {day: given[day] for day in DAYS},
                        "country": given["country"],
                        "subdivision": given["subdivision"],
                        "extra_holidays": given["extra_holidays"],
                    }
                )
            except Refused as refused:
                _blame(self, refused.errors)
        return given

    def values(self) -> dict[str, Any]:
        stored = self.business.to_json()
        return {**stored, "extra_holidays": [date.fromisoformat(day) for day in stored["extra_holidays"]]}


class SendForm(forms.Form):
    """Cases of the tray, sent on by hand to a queue that the person runs."""

    queue = forms.ModelChoiceField(Queue.objects.none(), empty_label="Choose a queue")
    authority = AuthorityField(
        label="Authority", help_text="What the person who decides must hold. Empty: whoever decides in the queue."
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        queue = self.fields["queue"]
        assert isinstance(queue, forms.ModelChoiceField)
        queue.queryset = doors.queues(user, *doors.LEADS).filter(is_active=True)


def _initial(calendar: Calendar | None) -> dict[str, Any]:
    if calendar is None:
        return {"time_zone": "UTC"} | {day: ["09:00-17:00"] for day in DAYS[:5]}
    hours = {day: [f"{start}-{end}" for start, end in calendar.hours.get(day, [])] for day in DAYS}
    return {
        "name": calendar.name,
        "time_zone": calendar.time_zone,
        "country": calendar.country,
        "subdivision": calendar.subdivision,
        "extra_holidays": [day.isoformat() for day in calendar.extra_holidays],
        **hours,
    }


def _blame(form: forms.Form, errors: Iterable[str]) -> None:
    """Each sentence at the field that it names."""
    for error in errors:
        path, _, sentence = error.partition(": ")
        field = path.rpartition(".")[2]
        if field in form.fields and sentence:
            form.add_error(field, f"{sentence[:1].upper()}{sentence[1:]}")
        elif path == "hours":
            form.add_error(DAYS[0], f"{sentence[:1].upper()}{sentence[1:]}")
        else:
            form.add_error(None, error)
