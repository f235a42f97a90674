"""Traces that were drawn and that people labelled, without walking through the sampler and the screens."""

from datetime import timedelta

from django.utils import timezone

from queues.models import Sampled, SamplingRun
from queues.sampling import plans
from reviews.traffic import measuring, reports
from tests.factories.judging import Bench
from tests.factories.queues import CaseFactory
from tests.factories.traces import SignalFactory, TraceFactory


class Sample:
    """A tenant's traffic, its sample, and the people who decide it."""

    def __init__(self, lane=None, version=None):
        self.bench = Bench(lane=lane, version=version)
        self.tenant = self.bench.lane.tenant
        self.now = timezone.now()

    def traffic(self, times, **fields):
        """Traces that nobody looks at."""
        for _ in range(times):
            TraceFactory(tenant=self.tenant, **fields)

    def drawn(
        self, policy="random", verdict=None, *keys, chance=0.1, policies=None, dropped=False, signals=(), **fields
    ):
        """A trace that was drawn; with a verdict it is labelled. `signals`: (type, fields)."""
        trace = TraceFactory(tenant=self.tenant, **{"at": self.now - timedelta(hours=2), **fields})
        for type, more in signals:
            SignalFactory(trace=trace, type=type, at=trace.at, **more)
        case = CaseFactory(
            tenant=self.tenant, queue=self.bench.lane.queue, origin="sampling", topic=trace.topic,
            trace_id=trace.external_id, state="dropped" if dropped else "waiting",
        )  # fmt: skip
        Sampled.objects.create(
            case=case, tenant=self.tenant, trace_id=trace.id, trace_at=trace.at, policy=policy, probability=chance,
            policies=policies if policies is not None else ({} if chance is None else {policy: chance}),
            topic=trace.topic, release=trace.release, prompt_version=trace.prompt_version, at=self.now,
            dropped_at=self.now if dropped else None, dropped_because="full" if dropped else "",
        )  # fmt: skip
        if verdict:
            self.bench.decided(case, verdict, *keys)
        return case

    def labelled(self, policy, *, fails, passes, **fields):
        for verdict, times in (("reject", fails), ("accept", passes)):
            for _ in range(times):
                self.drawn(policy, verdict, **fields)

    def plan(self, **mix):
        return plans.save(
            tenant=self.tenant, change={"mix": mix} if mix else {}, because="", by=None, after=0, now=self.now,
            actor_name="test",
        )  # fmt: skip

    def run(self, plan, **counts):
        """That a draw wanted and picked so many, as `negative=(30, 12)`."""
        return SamplingRun.objects.create(
            tenant=self.tenant, plan=plan, seed=1, since=self.now - timedelta(days=1), until=self.now, population=1,
            picked=1, at=self.now,
            counts={policy: {"wanted": wanted, "picked": picked} for policy, (wanted, picked) in counts.items()},
        )  # fmt: skip

    def measure(self, now=None):
        """The reports by period, as the worker would keep them."""
        now = now or timezone.now()
        found = measuring.measure(self.tenant, now=now)
        return {one.period: one for one in reports.keep(tenant=self.tenant, found=found, now=now)}
