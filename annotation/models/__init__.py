"""The annotation tables, in the order in which data flows through them."""

from annotation.models.annotator import Annotator  # isort: skip
from annotation.models.prompt import Prompt  # isort: skip
from annotation.models.output import Output  # isort: skip
from annotation.models.queue import Guideline, Queue  # isort: skip
from annotation.models.task import Exemption, Flag, Task, TaskOutput  # isort: skip
from annotation.models.assignment import Assignment  # isort: skip
from annotation.models.annotation import Annotation, CorrectionDraft, Draft  # isort: skip
from annotation.models.standing import Firing, Rule, Standing  # isort: skip
from annotation.models.dispute import Dispute, Lookout, SettlementDraft  # isort: skip
from annotation.models.thread import Comment, Reading, Return  # isort: skip
from annotation.models.endpoint import Endpoint  # isort: skip
from annotation.models.authorship import Authorship  # isort: skip
from annotation.models.bookmark import Bookmark  # isort: skip
from annotation.models.grant import Grant  # isort: skip
from annotation.models.turn import Reply, Turn  # isort: skip
from annotation.models.dataset import Dataset, DatasetVersion  # isort: skip
from annotation.models.import_ import Import  # isort: skip

__all__ = [
    "Annotation",
    "Annotator",
    "Assignment",
    "Authorship",
    "Bookmark",
    "Comment",
    "CorrectionDraft",
    "Dataset",
    "DatasetVersion",
    "Dispute",
    "Draft",
    "Endpoint",
    "Exemption",
    "Flag",
    "Grant",
    "Firing",
    "Guideline",
    "Import",
    "Lookout",
    "Output",
    "Prompt",
    "Queue",
    "Reading",
    "Reply",
    "Return",
    "Rule",
    "SettlementDraft",
    "Standing",
    "Task",
    "TaskOutput",
    "Turn",
]
