from codebook.models.codebook import (
    Category,
    Codebook,
    CodebookGroupPermission,
    CodebookUserPermission,
    QueueCodebook,
    Version,
)
from codebook.models.label import Label, LabelBatch, LabelCategory

__all__ = [
    "Category",
    "Codebook",
    "CodebookGroupPermission",
    "CodebookUserPermission",
    "Label",
    "LabelBatch",
    "LabelCategory",
    "QueueCodebook",
    "Version",
]
