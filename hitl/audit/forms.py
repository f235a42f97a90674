import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from hitl.access.models import Tenant, User
from hitl.audit import wording
from hitl.audit.scope import Scope
from hitl.audit.search import Wanted


class Day(forms.DateInput):
    input_type = "date"


class FilterForm(forms.Form):
    """What to look for. Nothing that was typed freely goes on: who looked for what is on the record for good."""

    person = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Anyone")
    action = forms.ChoiceField(choices=[("", "Anything"), *wording.actions()], required=False, label="What")
    subject = forms.CharField(required=False, max_length=200, label="Case number")
    tenant = forms.ModelChoiceField(Tenant.objects.none(), required=False, empty_label="All")
    since = forms.DateField(required=False, widget=Day, label="From")
    until = forms.DateField(required=False, widget=Day, label="To")

    def __init__(self, data: Any, scope: Scope) -> None:
        super().__init__(data)
        self.scope = scope
        if len(scope.tenants) < 2:
            del self.fields["tenant"]
        else:
            self.fields["tenant"].queryset = Tenant.objects.filter(pk__in=scope.tenants).order_by("name")  # type: ignore[attr-defined]
        self.fields["person"].queryset = scope.people()  # type: ignore[attr-defined]

    def clean_subject(self) -> list[str]:
        """As `kind:id`. Some things have no other name than that: `queue:3` finds them too."""
        typed = str(self.cleaned_data["subject"]).strip()
        if not typed or re.fullmatch(r"[a-z_]{1,40}:[0-9]{1,18}", typed):
            return [typed] if typed else []
        if found := self.scope.meant(typed):
            return found
        raise forms.ValidationError("None of your cases has this number.")

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "This is before the first day.")
        return self.cleaned_data

    def wanted(self, zone: ZoneInfo) -> Wanted:
        """Days are days in the reader's time zone, the last one included. What is not valid does not filter."""
        given = self.cleaned_data
        until: date | None = given.get("until")
        return Wanted(
            person=given.get("person"),
            action=given.get("action", ""),
            subjects=given.get("subject") or (),
            tenant=given.get("tenant"),
            since=_midnight(given.get("since"), zone),
            until=_midnight(until + timedelta(days=1) if until and until < date.max else None, zone),
        )


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day else None
