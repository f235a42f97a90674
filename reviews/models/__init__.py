from reviews.models.failure import FailureMode, OpenCode
from reviews.models.review import Finding, Review, SavedDraft

__all__ = ["FailureMode", "Finding", "OpenCode", "Review", "SavedDraft"]
