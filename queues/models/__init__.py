from queues.models.assessment import AssessmentRevision, RouteQuality
from queues.models.case import Case, Outcome, Receipt
from queues.models.feedback import FeedbackMinute
from queues.models.foreign import FeedbackToken, ScoreName
from queues.models.intake_settings import IntakeSettings, VaultEntry
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
from queues.models.sampling import DriftReport, Sampled, SamplingPlan, SamplingRun
from queues.models.scrub_measurement import ScrubMeasurement
from queues.models.signal import Complaint, ConsentWithdrawal, Signal, SignalWeights, TopicDwell
from queues.models.slot import Breach, Slot
from queues.models.trace import EarlyWord, Span, Trace
from queues.models.upload import Upload

__all__ = [
    "AssessmentRevision",
    "Breach",
    "Calendar",
    "Case",
    "Complaint",
    "ConsentWithdrawal",
    "DriftReport",
    "EarlyWord",
    "FeedbackMinute",
    "FeedbackToken",
    "IntakeSettings",
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
    "Sampled",
    "SamplingPlan",
    "SamplingRun",
    "ScoreName",
    "ScrubMeasurement",
    "Signal",
    "SignalWeights",
    "Slot",
    "Span",
    "TopicDwell",
    "Trace",
    "Upload",
    "VaultEntry",
]
