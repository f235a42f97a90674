"""The table of guarantee 6: for every address of the house, by name, who may come in. A name that is missing fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.guarantees.world import World

Args = Callable[[World], dict[str, Any]]

EVERYBODY = frozenset({
    "anonymous", "nobody", "reviewer of another queue", "reviewer for another tenant", "former reviewer", "reviewer",
    "lead for another tenant", "lead", "codebook owner", "approver", "administrator",
})  # fmt: skip
SIGNED_IN = EVERYBODY - {"anonymous"}
NOBODY: frozenset[str] = frozenset()
ADMINISTRATOR = frozenset({"administrator"})
TENANT_LEADS = frozenset({"lead", "administrator"})
QUEUE_LEADS = frozenset({"lead", "lead for another tenant", "administrator"})
QUEUE_PEOPLE = QUEUE_LEADS | {"reviewer", "reviewer for another tenant"}
AT_HOME = frozenset({"reviewer", "lead", "administrator"})
TAKERS = frozenset({"reviewer", "lead"})


@dataclass(frozen=True)
class Door:
    """Who gets an answer by GET and by POST, with the address filled in with what is home's. Other methods may be taken
    for a GET, and open to nobody else.

    `far`: the same address of the stranger's things, where only the administrator may come in as `far_opens` says.
    `mixed`: addresses that name one thing of home and one of somebody else; they open for nobody. `tells`: who may
    read the stranger's name there. `scopes`: an address of the API, which opens to tokens of these scopes alone.
    """

    get: frozenset[str] = NOBODY
    post: frozenset[str] = NOBODY
    args: Args = lambda world: {}
    far: Args | None = None
    mixed: tuple[Args, ...] = ()
    data: Args = lambda world: {}
    query: Args = lambda world: {}
    far_opens: frozenset[str] = ADMINISTRATOR
    tells: frozenset[str] = ADMINISTRATOR
    method: str = "GET"
    scopes: tuple[str, ...] = ()


def of(side: str, **names: str) -> Args:
    """The arguments of an address: `of("home", slug="queue.slug")` is the slug of home's queue."""

    def args(world: World) -> dict[str, Any]:
        found = {}
        for name, path in names.items():
            first, *rest = path.split(".")
            found[name] = getattr(world, side)[first]
            for step in rest:
                found[name] = getattr(found[name], step)
        return found

    return args


def both(**names: str) -> dict[str, Any]:
    return {"args": of("home", **names), "far": of("far", **names)}


def of_tenant(thing: str) -> dict[str, Any]:
    """Something under a tenant's address; under the address of one's own tenant the stranger's is not there either."""
    mixed = (lambda world: {"slug": "home", "pk": world.far[thing].pk},)
    return {**both(slug="tenant.slug", pk=f"{thing}.pk"), "mixed": mixed}


TENANT = both(slug="tenant.slug")
QUEUE = both(slug="queue.slug")
QUEUE = both(slug="queue.slug")
OWNER = frozenset({"codebook owner"})
PERSON = both(pk="person.pk")
SLOT = both(pk="slot.pk")
CODEBOOK = both(slug="codebook.slug")
READERS = QUEUE_PEOPLE | {"reviewer of another queue", "codebook owner"}
LINK = both(slug="codebook.slug", category="link.category_id", ancestor="link.ancestor_id")
BATCH = {
    **both(slug="codebook.slug", pk="batch.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["batch"].pk},),
}
DISAGREEMENT = {
    **both(slug="codebook.slug", pk="disagreement.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["disagreement"].pk},),
}
ALIGNMENT = {
    **both(slug="codebook.slug", pk="alignment.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["alignment"].pk},),
}
JUDGE = {
    **both(slug="codebook.slug", pk="judge_report.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["judge_report"].pk},),
}
RUNNERS = OWNER | ADMINISTRATOR
VERSION = both(slug="codebook.slug", number="batch.version.number")
DRAFTED = {
    **both(slug="codebook.slug", pk="drafted.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["drafted"].pk},),
}
COMMENT = {
    **both(slug="codebook.slug", pk="comment.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["comment"].pk},),
}
FAILURE = {
    **both(slug="codebook.slug", pk="failure.pk"),
    "mixed": (lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["failure"].pk},),
}
MESSAGE = of_tenant("message")
ENDPOINT = of_tenant("endpoint")
UPLOAD = of_tenant("upload")
TOOL = of_tenant("tool")


def traffic(world: World) -> dict[str, Any]:
    """Home's report of its traffic, which opens nothing under the stranger's address."""
    return {"report": world.home["traffic_report"].pk, "revision": 0}


DOORS: dict[str, Door] = {
    # hitl/access
    "healthz": Door(get=EVERYBODY),
    "login": Door(get=EVERYBODY, post=EVERYBODY),
    "logout": Door(post=SIGNED_IN),
    "change_password": Door(get=SIGNED_IN, post=SIGNED_IN),
    "set_password": Door(get=EVERYBODY, post=EVERYBODY, args=lambda world: {"uidb64": "MQ", "token": "x-y"}),
    "people": Door(get=ADMINISTRATOR),
    "person_new": Door(get=ADMINISTRATOR, post=ADMINISTRATOR),
    "person": Door(get=ADMINISTRATOR, **PERSON),
    "person_profile": Door(post=ADMINISTRATOR, **PERSON),
    "person_permissions": Door(post=ADMINISTRATOR, args=lambda w: {"pk": w.home["person"].pk, "kind": "queue"}),
    "authority_new": Door(post=ADMINISTRATOR, **PERSON),
    "authority_revoke": Door(args=lambda w: {"pk": w.home["person"].pk, "held": 0}),
    "person_administrator": Door(post=ADMINISTRATOR, **PERSON),
    "person_deactivate": Door(post=ADMINISTRATOR, **PERSON),
    "person_reactivate": Door(post=ADMINISTRATOR, **PERSON),
    "person_link": Door(post=ADMINISTRATOR, **PERSON),
    "tenants": Door(get=SIGNED_IN),
    "tenant_new": Door(get=ADMINISTRATOR, post=ADMINISTRATOR),
    "tenant": Door(get=TENANT_LEADS, **TENANT),
    "tokens": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "token_revoke": Door(post=TENANT_LEADS, **of_tenant("token")),
    # queues/intake
    "api:api-root": Door(get=NOBODY),
    "api:openapi-json": Door(get=EVERYBODY, post=EVERYBODY),
    "api:openapi-view": Door(get=EVERYBODY, post=EVERYBODY),
    "api:send_cases": Door(scopes=("ingest",), method="POST"),
    "api:send_signals": Door(scopes=("ingest",), method="POST"),
    "api:send_feedback": Door(scopes=("ingest", "feedback"), method="POST"),
    "api:send_traces": Door(scopes=("ingest",), method="POST"),
    "api:send_drift": Door(scopes=("ingest",), method="POST"),
    "api:send_complaints": Door(scopes=("ingest",), method="POST"),
    "api:withdraw_consent": Door(scopes=("ingest",), method="POST"),
    "api:assess": Door(scopes=("ingest",), method="POST"),
    "api:send_labels": Door(scopes=("ingest",), method="POST"),
    "api:ask_for_verdict": Door(scopes=("ingest",), **both(case_id="slot.case.external_id")),
    "api:nowhere": Door(),
    # queues/intake/langfuse, queues/intake/langsmith: a bearer's token is taken beside their own headers
    "langfuse_scores": Door(scopes=("ingest",), method="POST"),
    "langfuse_ingestion": Door(scopes=("ingest",), method="POST"),
    "langfuse_traces": Door(),
    "langfuse_projects": Door(scopes=("ingest",)),
    "langfuse_health": Door(get=EVERYBODY),
    "langfuse_nowhere": Door(args=lambda world: {"rest": "prompts"}),
    "langsmith_info": Door(get=EVERYBODY),
    "langsmith_sessions": Door(scopes=("ingest",)),
    "langsmith_runs": Door(scopes=("ingest",), method="POST"),
    "langsmith_batch": Door(scopes=("ingest",), method="POST"),
    "langsmith_multipart": Door(),
    "langsmith_run": Door(scopes=("ingest",), method="PATCH", args=lambda world: {"pk": str(UUID(int=1))}),
    "langsmith_feedback": Door(scopes=("ingest",), method="POST"),
    "langsmith_tokens": Door(scopes=("ingest",), method="POST"),
    "langsmith_token": Door(args=lambda world: {"secret": str(UUID(int=1))}),
    "langsmith_nowhere": Door(args=lambda world: {"rest": "datasets"}),
    "otlp_traces": Door(scopes=("ingest",), method="POST"),
    "phoenix_traces": Door(scopes=("ingest",), method="POST"),
    "phoenix_projects": Door(scopes=("ingest",)),
    "phoenix_spans": Door(scopes=("ingest",), method="POST", args=lambda world: {"project": "support"}),
    "phoenix_span_annotations": Door(scopes=("ingest",), method="POST"),
    "phoenix_trace_annotations": Door(scopes=("ingest",), method="POST"),
    "phoenix_document_annotations": Door(scopes=("ingest",), method="POST"),
    "phoenix_span_notes": Door(scopes=("ingest",), method="POST"),
    "phoenix_nowhere": Door(args=lambda world: {"rest": "v1/datasets"}),
    # hitl/outbox
    "deliveries": Door(get=TENANT_LEADS, **TENANT),
    "deliveries_again": Door(post=TENANT_LEADS, **TENANT),
    "delivery_again": Door(post=TENANT_LEADS, **MESSAGE),
    "delivery_call_off": Door(post=TENANT_LEADS, **MESSAGE),
    "endpoints": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "callback_secret": Door(post=TENANT_LEADS, **TENANT),
    "endpoint": Door(get=TENANT_LEADS, post=TENANT_LEADS, **ENDPOINT),
    "endpoint_secret": Door(post=TENANT_LEADS, **ENDPOINT),
    "endpoint_switch": Door(post=TENANT_LEADS, **ENDPOINT),
    "endpoint_test": Door(post=TENANT_LEADS, **ENDPOINT),
    # reviews: tools that hear of decisions
    "foreign_tools": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "foreign_scores": Door(post=TENANT_LEADS, **TENANT),
    "foreign_tool_try": Door(post=TENANT_LEADS, **TOOL),
    "foreign_tool_switch": Door(post=TENANT_LEADS, **TOOL),
    "foreign_tool_remove": Door(post=TENANT_LEADS, **TOOL),
    # queues: what leads steer
    "queues": Door(get=QUEUE_LEADS),
    "queue_new": Door(get=QUEUE_LEADS, post=QUEUE_LEADS),
    "queue": Door(get=QUEUE_LEADS, **QUEUE),
    "queue_edit": Door(get=QUEUE_LEADS, post=QUEUE_LEADS, **QUEUE),
    "queue_weights": Door(post=QUEUE_LEADS, **QUEUE),
    "queue_codebook": Door(get=QUEUE_LEADS, post=QUEUE_LEADS, **QUEUE),
    "calendars": Door(get=QUEUE_LEADS),
    "calendar_new": Door(get=QUEUE_LEADS, post=QUEUE_LEADS),
    "calendar": Door(get=QUEUE_LEADS, post=QUEUE_LEADS, **both(pk="queue.calendar_id")),
    "rules": Door(get=QUEUE_LEADS),
    "rule_new": Door(get=QUEUE_LEADS, post=QUEUE_LEADS),
    # A rule moves the cases of its tenants: only who works in them changes it.
    "rule_edit": Door(get=TENANT_LEADS, post=TENANT_LEADS, **both(pk="rule.pk")),
    "where_to": Door(get=QUEUE_LEADS, query=lambda world: {"tenant": "far", "domain": "domain-zyxomma", "risk": 2}),
    "unrouted": Door(get=QUEUE_LEADS),
    "unrouted_again": Door(post=QUEUE_LEADS, data=lambda world: {"case": world.far["unrouted"].pk}),
    "unrouted_send": Door(
        post=QUEUE_LEADS, data=lambda world: {"case": world.far["unrouted"].pk, "queue": world.home["queue"].pk}
    ),
    "assessment": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "sampling": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "sampling_draw": Door(post=TENANT_LEADS, **TENANT),
    # queues: a tenant's traffic
    "traces_home": Door(get=SIGNED_IN),
    "traces": Door(get=TENANT_LEADS, **TENANT),
    "traces_waiting": Door(get=TENANT_LEADS, **TENANT),
    "traces_send": Door(post=TENANT_LEADS, data=lambda world: {"trace": world.far["trace"].pk}, **TENANT),
    "trace": Door(get=TENANT_LEADS, **of_tenant("trace")),
    # It takes a permission of its own, which nobody at home was given.
    "trace_masked": Door(get=ADMINISTRATOR, post=ADMINISTRATOR, **of_tenant("trace")),
    "case_masked": Door(get=ADMINISTRATOR, post=ADMINISTRATOR, **both(pk="slot.case.pk")),
    "scrubbing": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "scrubbing_measure": Door(post=TENANT_LEADS, **TENANT),
    "vault_empty": Door(post=TENANT_LEADS, **TENANT),
    "complaints": Door(get=TENANT_LEADS, **TENANT),
    "complaint_new": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "complaint": Door(get=TENANT_LEADS, **of_tenant("complaint")),
    "complaint_link": Door(post=TENANT_LEADS, **of_tenant("complaint")),
    "complaint_dismiss": Door(post=TENANT_LEADS, **of_tenant("complaint")),
    "complaint_reopen": Door(post=TENANT_LEADS, **of_tenant("complaint")),
    "consent": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "intake_settings": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    # hitl/audit
    "audit": Door(get=QUEUE_LEADS),
    "audit_export": Door(get=QUEUE_LEADS),
    "uploads": Door(get=TENANT_LEADS, **TENANT),
    "upload_new": Door(get=TENANT_LEADS, post=TENANT_LEADS, **TENANT),
    "upload": Door(get=TENANT_LEADS, **UPLOAD),
    "upload_confirm": Door(post=TENANT_LEADS, **UPLOAD),
    "upload_drop": Door(post=TENANT_LEADS, **UPLOAD),
    "upload_rejected": Door(get=TENANT_LEADS, **UPLOAD),
    # hitl/jobs
    "job": Door(get=TENANT_LEADS, **both(pk="job.pk")),
    "job_progress": Door(get=TENANT_LEADS, **both(pk="job.pk")),
    # codebook
    "codebooks": Door(get=SIGNED_IN),
    "codebook": Door(
        get=QUEUE_PEOPLE | {"reviewer of another queue", "codebook owner"},
        tells=ADMINISTRATOR | {"codebook owner"},
        **both(slug="codebook.slug"),
    ),
    "codebook_new": Door(get=QUEUE_LEADS, post=QUEUE_LEADS),
    "codebook_settings": Door(get=RUNNERS, post=RUNNERS, **CODEBOOK),
    "codebook_draft": Door(get=READERS, post=OWNER, **CODEBOOK),
    "codebook_draft_drop": Door(post=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_preview": Door(get=READERS, **CODEBOOK),
    "codebook_publish": Door(get=OWNER, post=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_import": Door(get=OWNER, post=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_category_new": Door(post=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_category": Door(post=OWNER, far_opens=NOBODY, **DRAFTED),
    "codebook_category_remove": Door(post=OWNER, far_opens=NOBODY, **DRAFTED),
    "codebook_category_move": Door(post=OWNER, far_opens=NOBODY, **DRAFTED),
    "codebook_comment": Door(post=READERS, **CODEBOOK),
    "codebook_comment_resolve": Door(post=OWNER, far_opens=NOBODY, **COMMENT),
    "codebook_versions": Door(get=READERS, **CODEBOOK),
    "codebook_version": Door(get=READERS, **VERSION),
    "codebook_file": Door(get=READERS, **VERSION),
    "codebook_compare": Door(get=READERS, **CODEBOOK),
    "codebook_standing": Door(get=READERS, **CODEBOOK),
    "codebook_carry": Door(get=OWNER, post=OWNER, far_opens=NOBODY, **LINK),
    "codebook_carry_back": Door(post=OWNER, far_opens=NOBODY, **LINK),
    "codebook_relabel": Door(
        get=OWNER, post=OWNER, far_opens=NOBODY, **both(slug="codebook.slug", category="link.ancestor_id")
    ),
    "codebook_relabel_cancel": Door(post=OWNER, far_opens=NOBODY, **both(slug="codebook.slug", pk="relabel.pk")),
    "codebook_batches": Door(get=READERS, **CODEBOOK),
    "codebook_batch": Door(get=QUEUE_PEOPLE, **BATCH),
    "codebook_batch_close": Door(post=QUEUE_LEADS, **BATCH),
    "codebook_drift": Door(get=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_drift_reviewer": Door(
        get=OWNER,
        far_opens=NOBODY,
        **both(slug="codebook.slug", pk="drifted.pk"),
        mixed=(lambda world: {"slug": world.home["codebook"].slug, "pk": world.far["drifted"].pk},),
    ),
    "codebook_failures": Door(get=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_failures_group": Door(post=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_failure": Door(get=OWNER, post=OWNER, far_opens=NOBODY, **FAILURE),
    # Having the last word on a codebook opens no tenant: its owner works in none of these queues.
    "codebook_code_case": Door(
        args=of("home", slug="codebook.slug", pk="decided.case.pk"),
        far=of("far", slug="codebook.slug", pk="slot.case.pk"),
        far_opens=NOBODY,
    ),
    "codebook_example": Door(far_opens=NOBODY, data=lambda world: {"case": world.home["decided"].case_id}, **CODEBOOK),
    "codebook_judges": Door(get=READERS, **CODEBOOK),
    "codebook_judges_measure": Door(post=QUEUE_LEADS | OWNER, **CODEBOOK),
    "codebook_judge": Door(get=READERS, **JUDGE),
    # codebook: agreement. Its report names a stranger's queue and reviewer, whom only the owner is told.
    "codebook_agreement": Door(get=READERS, tells=ADMINISTRATOR | OWNER, **CODEBOOK),
    "codebook_agreement_category": Door(
        get=READERS, tells=ADMINISTRATOR | OWNER, **both(slug="codebook.slug", key="category.key")
    ),
    "codebook_agreement_file": Door(
        get=READERS, tells=ADMINISTRATOR | OWNER, **both(slug="codebook.slug", kind="report_kind")
    ),
    "codebook_agreement_measure": Door(post=QUEUE_LEADS | OWNER, **CODEBOOK),
    "codebook_agreement_subjective": Door(
        post=OWNER, far_opens=NOBODY, tells=ADMINISTRATOR | OWNER, **both(slug="codebook.slug", key="category.key")
    ),
    "codebook_labels_import": Door(get=OWNER, post=OWNER, far_opens=NOBODY, **CODEBOOK),
    # Nor does the last word open the files of a tenant's labels.
    "codebook_labels_file": Door(far_opens=NOBODY, **both(slug="codebook.slug", pk="label_file.pk")),
    "codebook_labels_settle": Door(far_opens=NOBODY, **both(slug="codebook.slug", pk="label_file.pk")),
    # codebook: disagreements, and what becomes of them
    "codebook_disagreements": Door(get=OWNER, far_opens=NOBODY, tells=ADMINISTRATOR | OWNER, **CODEBOOK),
    # Here, too, the owner works in none of these queues.
    "codebook_adjudicate": Door(far_opens=NOBODY, **DISAGREEMENT),
    "codebook_edge_case": Door(far_opens=NOBODY, **DISAGREEMENT),
    "codebook_spot_checks": Door(get=OWNER, far_opens=NOBODY, **CODEBOOK),
    "codebook_spot_check": Door(args=of("home", slug="codebook.slug", pk="spot.pk")),
    "codebook_alignments": Door(get=READERS, post=OWNER, **CODEBOOK),
    "codebook_alignment": Door(get=READERS, post=OWNER, **ALIGNMENT),
    # reviews: what labels say of the traffic
    "estimates": Door(get=TENANT_LEADS, **TENANT),
    "sampling_yield": Door(get=TENANT_LEADS, **TENANT),
    "signal_weights": Door(get=TENANT_LEADS, **TENANT),
    "traffic_measure": Door(post=TENANT_LEADS, **TENANT),
    "sampling_yield_take": Door(post=TENANT_LEADS, data=traffic, far_opens=NOBODY, **TENANT),
    "signal_weights_take": Door(post=TENANT_LEADS, data=traffic, far_opens=NOBODY, **TENANT),
    # reviews
    "decisions_learned": Door(get=SIGNED_IN),
    "home": Door(get=SIGNED_IN),
    # The stranger's case that waits in a queue of the lead's.
    "case": Door(get=TENANT_LEADS, args=of("home", pk="slot.case.pk"), far=of("far", pk="shared.case.pk")),
    "review": Door(get=SIGNED_IN),
    "review_queue": Door(get=QUEUE_PEOPLE, **both(slug="queue.slug")),
    "slots_release": Door(post=SIGNED_IN),
    "slot_decide": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "slot_undo": Door(post=frozenset({"reviewer", "lead"}), **SLOT, far_opens=NOBODY),
    "slot_heartbeat": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "slot_draft": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "slot_diff": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "slot_defer": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "slot_pass": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "slot_hand_up": Door(post=TAKERS, **SLOT, far_opens=NOBODY),
    "decisions": Door(get=SIGNED_IN),
    "decisions_recent": Door(get=SIGNED_IN),
    "decision_amend": Door(
        get=frozenset({"reviewer"}),
        post=frozenset({"reviewer"}),
        args=of("home", pk="decided.pk"),
        mixed=(of("home", pk="former.pk"),),
    ),
}
