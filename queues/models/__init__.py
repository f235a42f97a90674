from queues.models.assessment import AssessmentRevision, RouteQuality
from queues.models.case import Case, Outcome, Receipt
from queues.models.judge import JudgeKept, JudgeVerdict
from queues.models.queue import (
    Calendar,
    Lane,
    LaneRollup,
    LaneTaker,
    Queue,
    QueueGroupPermission,
    QueueUserPermission,
    RoutingRule,
)
from queues.models.slot import Breach, Slot
from queues.models.upload import Upload

__all__ = [
    "AssessmentRevision",
    "Breach",
    "Calendar",
    "Case",
    "JudgeKept",
    "JudgeVerdict",
    "Lane",
    "LaneRollup",
    "LaneTaker",
    "Outcome",
    "Queue",
    "QueueGroupPermission",
    "QueueUserPermission",
    "Receipt",
    "RouteQuality",
    "RoutingRule",
    "Slot",
    "Upload",
]
