from codebook.models.agreement import Adjudication, AgreementReport, AlignmentSession, Disagreement, SpotCheck
from codebook.models.codebook import (
    Category,
    Codebook,
    CodebookGroupPermission,
    CodebookUserPermission,
    QueueCodebook,
    Version,
)
from codebook.models.counts import BatchCount, RelabelCount
from codebook.models.drift import DriftCheck, DriftReport, JudgeAudit, JudgeReport
from codebook.models.label import FinalLabel, Label, LabelBatch, LabelCategory
from codebook.models.label_file import LabelFile
from codebook.models.lineage import CategoryLink, Comment, Relabel, RelabelSlot
from codebook.models.subjective import SubjectiveCategory

__all__ = [
    "Adjudication",
    "AgreementReport",
    "AlignmentSession",
    "BatchCount",
    "Category",
    "CategoryLink",
    "Codebook",
    "CodebookGroupPermission",
    "CodebookUserPermission",
    "Comment",
    "Disagreement",
    "DriftCheck",
    "DriftReport",
    "FinalLabel",
    "JudgeAudit",
    "JudgeReport",
    "Label",
    "LabelBatch",
    "LabelCategory",
    "LabelFile",
    "QueueCodebook",
    "Relabel",
    "RelabelCount",
    "RelabelSlot",
    "SpotCheck",
    "SubjectiveCategory",
    "Version",
]
