"""Which codebook a queue's cases are labelled with."""

from django.db import transaction

from codebook.models import Codebook, QueueCodebook
from hitl.audit import log
from hitl.models import User
from queues.models import Queue


@transaction.atomic
def choose(*, queue: Queue, codebook: Codebook, by: User | None, actor_name: str = "") -> bool:
    """From now on the queue's cases are labelled with this codebook; earlier labels keep theirs. False: it was so."""
    Queue.objects.select_for_update().get(pk=queue.pk)
    before = QueueCodebook.objects.filter(queue=queue).first()
    if before and before.codebook_id == codebook.pk:
        return False
    QueueCodebook.objects.update_or_create(queue=queue, defaults={"codebook": codebook})
    log.append(
        actor=by, action="queue.codebook_chosen", subject=f"queue:{queue.pk}", tenant_id=None, queue_id=queue.pk,
        detail={"codebook": codebook.slug, "before": before.codebook.slug if before else None},
        actor_name=actor_name,
    )  # fmt: skip
    return True
