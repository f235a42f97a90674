"""What the bench runs on: reviewers with real grants, twenty lanes, a codebook, and as many open cases as asked for."""

from django.contrib.auth.models import Group
from django.db import connections, transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm

from codebook.models import Category, Codebook, QueueCodebook, Version
from hitl.models import Tenant, User
from queues.models import Lane, Queue, RoutingRule

PASSWORD = "bench bench bench"  # noqa: S105 -- of accounts in a data folder that is thrown away
REVIEWERS = 32
QUEUES = 10
KEYS = (
    "hallucination",
    "unsupported-claim",
    "wrong-source",
    "refusal",
    "missed-the-point",
    "too-long",
    "tone",
    "format",
)

# Some 1.5 kB a case: a question, a draft, three passages of evidence.
FILL = """
with lanes as (select id, queue_id, tenant_id, row_number() over (order by id) - 1 as place from queues_lane),
made as (
  insert into queues_case (tenant_id, external_id, origin, state, domain, language, language_detected, risk, topic,
    question, draft, conversation, evidence, tool_results, policy, reason, assessment, triggers, trace_id, user_key,
    model, prompt_version, release, callback_url, queue_id, authority, routing, received_at, due_because)
  select lanes.tenant_id, 'bench-' || %(round)s || '-' || n, 'escalation', 'waiting', 'billing', 'en', false, 2, '',
    'I was charged twice in October (order ' || n || '). Is it right that I get the second payment back this week?',
    'I am sorry about the double charge. I can see two payments of 142.60 on 3 and 4 October, and the second one was '
    'booked in error. Because the amount is above 100, our billing team confirms the error in the ledger first. Your '
    'refund is already approved and arrives within three working days. You need not do anything. ' || md5(n::text),
    '[]', jsonb_build_array(
      jsonb_build_object('document_id', 'ledger-' || n, 'title', 'Ledger', 'score', 0.83, 'quote',
        '03 Oct: direct debit 142.60, invoice 7731. 04 Oct: direct debit 142.60, invoice 7731 (duplicate, rerun). '
        'Status: flagged, not yet reversed. ' || repeat(md5(n::text) || ' ', 3)),
      jsonb_build_object('document_id', 'policy-4.2', 'title', 'Refund policy, section 4.2', 'score', 0.79, 'quote',
        'Refunds above 100 are released after Billing confirms the error in the ledger. Until then the customer may be '
        'told that the case is being checked, not that a refund is approved.'),
      jsonb_build_object('document_id', 'goodwill', 'title', 'Goodwill credits', 'score', 0.41, 'quote',
        'Agents may grant a goodwill credit of up to 25 per customer and calendar year.')),
    '[]', 'Refunds above 100 need an invoice error confirmed in the ledger.', 'Money is promised.',
    '{"reason": "The answer promises money, and one of its claims is not in the evidence."}', '{high_stakes}', '', '',
    'support-7', '31', '', '', lanes.queue_id, '', '{}', now(), ''
  from generate_series(%(first)s::bigint, %(last)s::bigint) n
  join lanes on lanes.place = n %% (select count(*) from lanes)
  returning id, queue_id, tenant_id)
insert into queues_slot (case_id, lane_id, purpose, round, seat, state, priority, due_at, overdue, barred, created_at,
  reason, lease_token)
select made.id, queues_lane.id, 'first', 1, 1, 'open', 20 + made.id %% 60, now() + (made.id %% 5000) * interval '1 min',
  false, '{}', now(), '', 0
from made join queues_lane using (queue_id, tenant_id)
"""
EMPTY = """
truncate queues_breach, queues_outcome, queues_slot, queues_case, queues_receipt, codebook_label,
  codebook_labelcategory, reviews_review, reviews_finding, reviews_saveddraft, hitl_message cascade
"""


@transaction.atomic
def people_and_lanes() -> list[User]:
    """The reviewers, allowed through a group and by name alike; two tenants; every queue has a lane of each."""
    tenants = [Tenant.objects.create(slug=f"bench-{n}", name=f"Bench {n}") for n in (1, 2)]
    Tenant.objects.create(slug="bench-unscrubbed", name="Unscrubbed", scrubs=False)
    queues = [Queue.objects.create(slug=f"bench-{n}", name=f"Bench queue {n}") for n in range(QUEUES)]
    RoutingRule.objects.create(queue=queues[0], name="Billing", domains=["billing"])
    group = Group.objects.create(name="bench reviewers")
    for tenant in tenants:
        assign_perm("work_in_tenant", group, tenant)
    users = [
        User.objects.create_user(f"bench-{n}@example.org", PASSWORD, name=f"Reviewer {n}", languages=["en"])
        for n in range(REVIEWERS)
    ]
    for user in users:
        user.groups.add(group)
        for queue in queues:
            assign_perm("review_queue", user, queue)
    version = Version.objects.create(
        codebook=Codebook.objects.create(slug="bench", title="Bench", owner=users[0]), number=1
    )
    for position, key in enumerate(KEYS, 1):
        Category.objects.create(version=version, key=key, title=key.replace("-", " "), position=position)
    Version.objects.filter(pk=version.pk).update(
        state="published", published_at=timezone.now(), published_by=users[0], content_hash="0" * 64
    )
    for queue in queues:
        QueueCodebook.objects.create(queue=queue, codebook=version.codebook)
        for tenant in tenants:
            Lane.objects.create(queue=queue, tenant=tenant, stream=Lane.Stream.ESCALATION, language="en")
    return users


def refill(cases: int, round_: int) -> None:
    """Empties the queues and fills them with this many open cases, as the owner; then as it would be after a night."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(EMPTY)
        for first in range(1, cases + 1, 50_000):
            cursor.execute(FILL, {"round": round_, "first": first, "last": min(first + 49_999, cases)})
        cursor.execute("vacuum (analyze) queues_slot")
        cursor.execute("vacuum (analyze) queues_case")
