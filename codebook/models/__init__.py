from codebook.models.agreement import Adjudication, AgreementReport, AlignmentSession, Disagreement, SpotCheck
from codebook.models.codebook import (
    Category,
    Codebook,
    CodebookGroupPermission,
    CodebookUserPermission,
    QueueCodebook,
    Version,
)
from codebook.models.drift import DriftCheck, DriftReport, JudgeAudit, JudgeReport
from codebook.models.label import FinalLabel, Label, LabelBatch, LabelCategory
from codebook.models.lineage import CategoryLink, Comment, Relabel, RelabelSlot

__all__ = [
    "Adjudication",
    "AgreementReport",
    "AlignmentSession",
    "Category",
    "CategoryLink",
    "Codebook",
    "CodebookGroupPermission",
    "CodebookUserPermission",
    "Comment",
    "Disagreement",
    "DriftCheck",
    "DriftReport",
    "JudgeAudit",
    "JudgeReport",
    "FinalLabel",
    "Label",
    "LabelBatch",
    "LabelCategory",
    "QueueCodebook",
    "Relabel",
    "RelabelSlot",
    "SpotCheck",
    "Version",
]
