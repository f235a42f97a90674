from reviews.models.failure import CaseRead, FailureMode, OpenCode
from reviews.models.review import Finding, Review, SavedDraft
from reviews.models.traffic import TrafficReport

__all__ = ["CaseRead", "FailureMode", "Finding", "OpenCode", "Review", "SavedDraft", "TrafficReport"]
