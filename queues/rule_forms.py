"""Forms of routing rules: the rule itself, and a case to try the rules with."""

from hashlib import sha256
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from hitl.access import doors as access
from hitl.models import Tenant
from queues import doors
from queues.forms import AuthorityField, ListField
from queues.languages import UnknownLanguage, normalise
from queues.models import Queue, RoutingRule
from queues.risk import Risk
from queues.triggers import Trigger

RISKS = [("", "Any"), *Risk.choices]


class LanguagesField(ListField):
    """Language tags, tidied."""

    def to_python(self, value: Any) -> Any:
        try:
            return list(dict.fromkeys(normalise(tag) for tag in super().to_python(value)))
        except UnknownLanguage as fault:
            raise ValidationError(str(fault)) from None


class RuleForm(forms.Form):
    """A rule. Whoever works not in every tenant names the tenants that it holds for."""

    name = forms.CharField(max_length=120, help_text="What a case goes by, in your words: “Refunds, high risk”.")
    queue = forms.ModelChoiceField(Queue.objects.none(), label="Send to", empty_label=None)
    tenants = forms.ModelMultipleChoiceField(
        Tenant.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, label="Tenants"
    )
    domains = ListField(label="Domains", longest=80, help_text="With commas between them. Empty: any.")
    topics = ListField(label="Topics", longest=120, help_text="With commas between them. Empty: any.")
    languages = LanguagesField(
        label="Languages", longest=35, help_text="Tags such as de or pt-BR; de takes de-AT too. Empty: any."
    )
    min_risk = forms.TypedChoiceField(label="Lowest risk", choices=RISKS, coerce=int, empty_value=None, required=False)
    max_risk = forms.TypedChoiceField(label="Highest risk", choices=RISKS, coerce=int, empty_value=None, required=False)
    triggers = forms.MultipleChoiceField(
        label="Any of these triggers", choices=Trigger.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: whatever triggered it.",
    )  # fmt: skip
    due_within_minutes = forms.IntegerField(
        label="The application wants it within, in minutes", min_value=1, max_value=10_000_000, required=False,
        help_text="Empty: any deadline, or none.",
    )  # fmt: skip
    authority = AuthorityField(
        label="Authority", help_text="What the person who decides must hold, such as finance.refund.L2. Empty: none."
    )
    position = forms.IntegerField(
        label="Position", min_value=0, max_value=100_000, initial=100,
        help_text="Of two rules with as many conditions, the one with the lower number is tried first.",
    )  # fmt: skip
    is_active = forms.BooleanField(label="In use", required=False, initial=True, help_text="Not ticked, it is paused.")

    def __init__(
        self, data: Any = None, *, user: Any, rule: RoutingRule | None = None, queue: Queue | None = None
    ) -> None:
        self.rule = rule
        super().__init__(data, initial=_initial(rule) if rule else {"queue": queue})
        choice, tenants = self.fields["queue"], self.fields["tenants"]
        assert isinstance(choice, forms.ModelChoiceField)
        assert isinstance(tenants, forms.ModelMultipleChoiceField)
        choice.queryset = doors.queues(user, *doors.LEADS)
        tenants.queryset = access.tenants(user).order_by("name")
        self.may_leave_open = not Tenant.objects.exclude(pk__in=access.tenants(user).values("pk")).exists()
        tenants.required = not self.may_leave_open
        tenants.error_messages["required"] = "Choose at least one: a rule for any tenant is up to an administrator."
        tenants.help_text = "None ticked: any tenant." if self.may_leave_open else "Cases of these alone."

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        lowest, highest = given.get("min_risk"), given.get("max_risk")
        if lowest and highest and lowest > highest:
            self.add_error("max_risk", "The highest risk is below the lowest.")
        return given

    def values(self) -> dict[str, Any]:
        """The rule's own fields; its tenants are given apart."""
        return {name: value for name, value in self.cleaned_data.items() if name != "tenants"}

    @property
    def mark(self) -> str:
        """Names exactly what is filled in, so that what is saved is what was looked at."""
        seen = {**self.values(), "tenants": sorted(tenant.pk for tenant in self.cleaned_data["tenants"])}
        return sha256(repr(sorted(seen.items(), key=lambda item: item[0])).encode()).hexdigest()[:32]


class TryForm(forms.Form):
    """A case that is there, or one made up."""

    case = forms.CharField(
        label="A case's id", max_length=200, required=False, help_text="If given, its facts count, not those below."
    )
    tenant = forms.ModelChoiceField(Tenant.objects.none(), to_field_name="slug", empty_label=None)
    domain = forms.CharField(max_length=80, required=False)
    topic = forms.CharField(max_length=120, required=False)
    language = forms.CharField(max_length=35, required=False, help_text="A tag such as de-AT.")
    risk = forms.TypedChoiceField(choices=Risk.choices, coerce=int, initial=Risk.MEDIUM)
    triggers = forms.MultipleChoiceField(choices=Trigger.choices, required=False, widget=forms.CheckboxSelectMultiple)
    minutes = forms.IntegerField(
        label="The application wants it within, in minutes", min_value=-1_000_000, max_value=10_000_000, required=False
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant = self.fields["tenant"]
        assert isinstance(tenant, forms.ModelChoiceField)
        tenant.queryset = access.tenants(user).order_by("name")

    def clean_language(self) -> str:
        given: str = self.cleaned_data["language"].strip()
        if not given:
            return ""
        try:
            return normalise(given)
        except UnknownLanguage as fault:
            raise ValidationError(str(fault)) from None


def _initial(rule: RoutingRule) -> dict[str, Any]:
    names = [
        "name", "domains", "topics", "languages", "min_risk", "max_risk", "triggers", "due_within_minutes", "authority",
        "position", "is_active",
    ]  # fmt: skip
    return {name: getattr(rule, name) for name in names} | {
        "queue": rule.queue_id, "tenants": [tenant.pk for tenant in rule.tenants.all()],
    }  # fmt: skip
