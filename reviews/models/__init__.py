from reviews.models.failure import CaseRead, FailureMode, OpenCode
from reviews.models.review import Finding, Review, SavedDraft

__all__ = ["CaseRead", "FailureMode", "Finding", "OpenCode", "Review", "SavedDraft"]
