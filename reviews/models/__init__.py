from reviews.models.review import Finding, Review, SavedDraft

__all__ = ["Finding", "Review", "SavedDraft"]
