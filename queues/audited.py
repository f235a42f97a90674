"""What the screen of the audit record shows of queues and cases (settings.AUDIT_ROOMS)."""

from collections.abc import Mapping

from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse

from hitl.audit.rooms import Named
from hitl.models import User
from queues import doors, seconds

FEW = 20
DECISIONS = (
    "case.decided", "case.undone", "case.amended", "case.adjudicated", "case.adjudication_corrected",
    "case.spot_checked",
)  # fmt: skip


def named(ids: Mapping[str, set[int]], reader: User) -> dict[str, Named]:
    """Cases by the producer's number, queues by name: those that the reader may open."""
    found = {}
    if cases := ids.get("case"):
        for pk, number in doors.cases_led(reader).filter(pk__in=cases).values_list("pk", "external_id"):
            found[f"case:{pk}"] = Named(f"case {number}", reverse("case", args=[pk]))
    if queues := ids.get("queue"):
        for pk, slug, name in (
            doors.queues(reader, *doors.LEADS).filter(pk__in=queues).values_list("pk", "slug", "name")
        ):
            found[f"queue:{pk}"] = Named(name, reverse("queue", args=[slug]))
    if rules := ids.get("rule"):
        for pk, name in doors.rules(reader).filter(pk__in=rules).values_list("pk", "name"):
            found[f"rule:{pk}"] = Named(f"the rule {name}", reverse("rule_edit", args=[pk]))
    if complaints := ids.get("complaint"):
        for pk, slug in doors.complaints(reader).filter(pk__in=complaints).values_list("pk", "tenant__slug"):
            found[f"complaint:{pk}"] = Named(f"complaint {pk}", reverse("complaint", args=[slug, pk]))
    return found


def readable(reader: User) -> Q | None:
    """What was done to the queues that the reader runs."""
    queues = list(doors.queues(reader, *doors.LEADS).values_list("pk", flat=True))
    return Q(queue_id__in=queues) if queues else None


def withheld(reader: User) -> Q | None:
    """Decisions on cases that the reader may yet be asked to decide: who decided what is theirs to read afterwards."""
    number = Func(OuterRef("subject"), Value(r"^case:(\d{1,18})$"), function="substring", output_field=TextField())
    yet_theirs = seconds.undecided(reader).filter(case_id=Cast(number, BigIntegerField()))
    return Q(action__in=DECISIONS) & Q(Exists(yet_theirs))


def meant(typed: str, reader: User) -> list[str]:
    """Cases with this number of the producer's."""
    pks = doors.cases_led(reader).filter(external_id=typed).values_list("pk", flat=True)[:FEW]
    return [f"case:{pk}" for pk in pks]
