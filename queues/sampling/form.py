"""The sampling plan as a form: shares in percent, and what is wrong at the field it is in."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.db.models import Q

from hitl.models import Tenant, User
from queues import doors
from queues.models import Queue, SamplingPlan
from queues.sampling import mix, plans
from queues.wording import ELSEWHERE

ABOUT: Final = {
    "random": "By chance, out of all that came in. At least 10%: only this finds what nobody thought of.",
    "stratified": "By chance too, but the same number of each topic, so that rare ones are seen.",
    "negative": "Users’ own edits first, then complaints, the worst first.",
    "uncertain": "Where a judge’s score is near the threshold.",
    "drift": "Slices that your monitoring reports, ahead of the rest.",
}
SHARES: Final = tuple(ABOUT)


class QueueField(forms.ModelChoiceField):
    """Queues by name; one that the person does not run keeps its own to itself."""

    led: frozenset[int] = frozenset()

    def label_from_instance(self, obj: Any) -> str:
        return str(obj) if obj.pk in self.led else ELSEWHERE


class PlanForm(forms.Form):
    """Starts from the plan in force, or from what a new one would be."""

    is_active = forms.BooleanField(label="Draw a sample every day", required=False)
    budget = forms.IntegerField(
        label="Cases a day", min_value=1, max_value=plans.BUDGET_MOST,
        help_text="A reviewer with an hour a day decides some 50 to 100.",
    )  # fmt: skip
    hour = forms.TypedChoiceField(
        label="Drawn at", coerce=int, choices=[(hour, f"{hour:02}:00 UTC") for hour in range(24)]
    )
    per_user = forms.IntegerField(
        label="Complaints of one user",
        min_value=1,
        max_value=1000,
        help_text="At most so many of one user in a sample.",
    )
    judge = forms.CharField(
        label="Judge", max_length=120, required=False, help_text="Whose score says how unsure it is; empty: any score."
    )
    threshold = forms.FloatField(label="Threshold", help_text="Where the judge turns from fail to pass.")
    width = forms.FloatField(label="Unsure within", help_text="At most so far from the threshold.")
    look_back_days = forms.IntegerField(
        label="Look back", min_value=1, max_value=plans.LATENCY_MOST - 1,
        help_text="Days. Users and judges speak late: for what they say, older traces are looked at too.",
    )  # fmt: skip
    latency_days = forms.IntegerField(
        label="Drop after", min_value=2, max_value=plans.LATENCY_MOST,
        help_text="Days since the trace. A later label comes too late to change the product.",
    )  # fmt: skip
    queue = QueueField(Queue.objects.none(), label="Send to", required=False, empty_label="Where the rules lead")

    def __init__(
        self, data: Any = None, *, tenant: Tenant, user: User, plan: SamplingPlan | None, tried: Any = None
    ) -> None:
        """`tried`: what a trial was made with, in place of the plan in force."""
        self.tenant, self.plan = tenant, plan
        fields = plans.fields_of(plan) | (tried or {})
        shares = {name: round(fields["mix"].get(name, 0.0) * 100, 2) for name in SHARES}
        super().__init__(data, initial=fields | {name: f"{share:g}" for name, share in shares.items()})
        labels = dict(mix_labels())
        for name, about in ABOUT.items():
            self.fields[name] = forms.FloatField(
                label=labels[name], min_value=0, max_value=100, help_text=about,
                widget=forms.NumberInput(attrs={"data-share": "", "step": "any", "aria-describedby": f"about-{name}"}),
            )  # fmt: skip
        queue = self.fields["queue"]
        assert isinstance(queue, QueueField)
        led = queue.led = frozenset(
            doors.queues(user, *doors.LEADS).filter(is_active=True).values_list("pk", flat=True)
        )
        queue.queryset = Queue.objects.filter(Q(pk__in=led) | Q(pk=plan.queue_id if plan else None)).order_by("name")

    @property
    def shares(self) -> list[forms.BoundField]:
        return [self[name] for name in SHARES]

    @property
    def total(self) -> str:
        """What the shares come to, as they stand in the form."""
        return f"{sum(_number(field.value()) for field in self.shares):g}"

    @property
    def change(self) -> dict[str, Any]:
        """What was filled in, as fields of a plan."""
        given = self.cleaned_data
        shares = {name: given[name] / 100 for name in SHARES}
        return {**{name: given[name] for name in plans.DEFAULTS if name != "mix"}, "mix": shares}

    @property
    def as_json(self) -> dict[str, Any]:
        queue = self.change["queue"]
        return {**self.change, "queue": queue.pk if queue else None}

    def check(self, now: datetime) -> bool:
        """Whether it could be saved; what could not stands at its field."""
        if not self.is_valid():
            return False
        try:
            plans.unsaved(self.tenant, self.plan, self.change, now)
        except plans.Refused as refused:
            self.add_error(refused.field if refused.field in self.fields else None, str(refused))
        return not self.errors


def mix_labels() -> list[tuple[str, str]]:
    return [(policy.value, str(policy.label)) for policy in mix.POLICIES]


def _number(typed: Any) -> float:
    try:
        return round(float(typed), 2)
    except (TypeError, ValueError):
        return 0.0
