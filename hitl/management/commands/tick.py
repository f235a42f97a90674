import signal
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from codebook.adjudication import alignment, spot_checks
from codebook.agreement import measured
from codebook.drift import checks as drift
from codebook.drift import reports as drift_reports
from codebook.judges import audits as judge_audits
from codebook.judges import machine
from codebook.judges import reports as judges
from codebook.labels import batches, counting
from codebook.labels import dropping as label_files
from hitl import housekeeping
from hitl.audit import sealing
from hitl.clock import at_now
from hitl.outbox.delivery import Courier
from hitl.tick import Chore, Tick
from queues import clock, joining, quality, rollups, urgency
from queues.intake import dropping
from queues.intake.feedback import rates
from queues.intake.feedback import waiting as waiting_feedback
from queues.sampling import dropping as thinning
from queues.sampling import scheduling
from queues.traces import dwell, partitions, retention, waiting
from reviews import corrections
from reviews.traffic import reports as traffic

# Every room's chores: this is the only place that knows them all.
CHORES = [
    Chore("deliver", 1, at_now(Courier().round)),
    Chore("deadlines", 2, at_now(partial(clock.until_done, clock.mark_overdue))),
    Chore("deferrals", 5, at_now(partial(clock.until_done, clock.wake_deferred))),
    Chore("leases", 60, at_now(partial(clock.until_done, clock.return_expired))),
    Chore("lanes", 5, at_now(rollups.count_lanes)),
    Chore("untakeable", 60, at_now(rollups.find_untakeable)),
    Chore("urgency", 60, at_now(urgency.move_forward)),
    Chore("urgency_of_all", 1800, at_now(urgency.catch_up)),
    Chore("label_counts", 15, at_now(counting.count)),
    Chore("batches", 3600, at_now(batches.close_by_age)),
    Chore("machine_labels", 2, at_now(machine.label_all)),
    Chore("corrections", 15, at_now(corrections.tell_all)),
    Chore("agreement", 900, at_now(measured.refresh)),
    Chore("judge_audits", 1800, at_now(judge_audits.top_up)),
    Chore("spot_checks", 3600, at_now(spot_checks.draw)),
    Chore("alignments", 6 * 3600, at_now(alignment.follow)),
    Chore("judges", 600, at_now(judges.refresh)),
    Chore("late_verdicts", 30, at_now(joining.attach)),
    Chore("traffic_reports", 600, at_now(traffic.refresh)),
    Chore("samples", 60, at_now(scheduling.draw_due)),
    Chore("thin_samples", 600, at_now(thinning.thin)),
    Chore("late_signals", 30, at_now(waiting.join_just_now)),
    Chore("later_signals", 3600, at_now(waiting.join_late)),
    Chore("dwell", 6 * 3600, at_now(dwell.refresh)),
    Chore("feedback_minutes", 120, at_now(rates.forget)),
    Chore("feedback_in_vain", 3600, at_now(waiting_feedback.sweep)),
    Chore("drift", 3600, at_now(drift.run)),
    Chore("drift_reports", 600, at_now(drift_reports.refresh)),
    Chore("route_quality", 3600, at_now(quality.refresh)),
    Chore("seal_audit", 2, sealing.seal),
    Chore("audit_partitions", 6 * 3600, sealing.make_partitions),
    Chore("trace_partitions", 6 * 3600, at_now(partitions.make_ahead)),
    Chore("forget_traces", 3600, at_now(retention.forget)),
    Chore("forget_uploads", 3600, at_now(dropping.forget_abandoned)),
    Chore("forget_label_files", 3600, at_now(label_files.forget_abandoned)),
    Chore("forget_results", 600, housekeeping.forget_results),
    Chore("forget_nodes", 3600, housekeeping.forget_nodes),
    Chore("forget_sessions", 3600, housekeeping.forget_sessions),
]


class Command(BaseCommand):
    help = "Does what is due, on the one node that leads. `up` starts one, and starts it again when it fails."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        tick = Tick(CHORES)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: tick.stop())
        tick.run()
