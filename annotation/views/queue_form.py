"""The form in which a queue is written: its own fields, and the options of its task type."""

from typing import Any

from django import forms
from django.http import QueryDict

from annotation.create_queue import GUIDELINE_LENGTH, MOST_ANSWERS, NAME_LENGTH
from annotation.handling import Handling, handling_of
from annotation.models import Queue
from annotation.task_types import TASK_TYPES
from truing.options import OptionField, fields_of, record_of
from truing.translated import translated

OPTION = "option."
HANDED = "handling."
HANDLING = fields_of(Handling)
OWN = ("name", "overlap", "is_training")
# Beside which others each setting stands; what is in none of them comes last.
GROUPS = (
    ("Order and certainty", ("order", "most_answers", "confidence")),
    ("Checks", ("gold_share", "repeat_share")),
    ("Who is asked", ("skills", "daily_cap")),
    ("Care", ("sensitive", "harmful", "sensitive_cap")),
    ("Exam", ("exam_skill", "exam_size", "exam_share")),
)
WORDS = {
    "arrival": "as they came",
    "random": "at random",
    "priority": "by priority",
    "depth": "one task to its end after the other",
    "breadth": "every task once before any is asked again",
}


class QueueForm(forms.Form):
    """What the verbs say of a value counts; the form only says it earlier."""

    name = forms.CharField(max_length=NAME_LENGTH, help_text="Annotators see it.")
    overlap = forms.IntegerField(
        label="Answers a task",
        min_value=1,
        max_value=MOST_ANSWERS,
        initial=1,
        help_text="How many people answer each question. More can be asked for later.",
    )
    is_training = forms.BooleanField(
        label="Training: show a known answer after it was given",
        required=False,
    )
    guideline = forms.CharField(
        required=False,
        max_length=GUIDELINE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="The instructions beside each question, in Markdown. "
        "Each change is a new version, and every answer remembers which one was in force.",
    )

    def __init__(self, type: str, written: QueryDict | None, *, queue: Queue | None = None) -> None:
        self.type = type
        self.items = fields_of(TASK_TYPES[type].Options)
        super().__init__(written, initial=_initial(queue) if queue else None)
        for item in self.items:
            self.fields[OPTION + item.name] = option_field(item)
        for item in HANDLING:
            # What a form does not say takes its default, or stays.
            self.fields[HANDED + item.name] = option_field(item)
            self.fields[HANDED + item.name].required = False

    def handling_fields(self) -> list[forms.BoundField]:
        return [self[HANDED + item.name] for item in HANDLING]

    def handling_groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The same, those that belong together under one heading."""
        grouped = {name for _, names in GROUPS for name in names}
        rest = tuple(item.name for item in HANDLING if item.name not in grouped)
        return [
            (title, [self[HANDED + name] for name in names if HANDED + name in self.fields])
            for title, names in (*GROUPS, ("Further", rest))
            if names
        ]

    def own_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in OWN]

    def option_fields(self) -> list[forms.BoundField]:
        return [self[OPTION + item.name] for item in self.items]

    def values(self) -> dict[str, Any]:
        """The values as the verbs take them."""
        written = self.cleaned_data
        return {
            "name": written["name"],
            "overlap": written["overlap"],
            "guideline": written["guideline"],
            "is_training": written["is_training"],
            "options": {item.name: written[OPTION + item.name] for item in self.items},
            "handling": {
                item.name: written[HANDED + item.name]
                for item in HANDLING
                if HANDED + item.name in self.data
            },
        }


def _initial(queue: Queue) -> dict[str, Any]:
    newest = queue.guidelines.order_by("-number").first()
    shown: dict[str, Any] = {name: getattr(queue, name) for name in OWN}
    shown["guideline"] = newest.text if newest else ""
    handled = record_of(handling_of(queue))
    shown |= {HANDED + name: _shown(value) for name, value in handled.items()}
    return shown | {OPTION + name: _shown(value) for name, value in queue.options.items()}


def _shown(value: Any) -> Any:
    """A value as its field shows it: of a list, a line each."""
    return "\n".join(value) if isinstance(value, list | tuple) else value


def option_field(item: OptionField) -> forms.Field:
    about: dict[str, Any] = {"label": item.label, "help_text": item.help}
    about["initial"] = _shown(item.default)
    if item.type is bool:
        return forms.BooleanField(required=False, **about)
    if item.choices:
        return forms.ChoiceField(
            choices=[(one, translated(WORDS.get(one, one))) for one in item.choices], **about
        )
    if item.type is tuple:
        # How many lines it may have, the options say: an empty list is a value too.
        lines = forms.Textarea(attrs={"rows": 4})
        return forms.CharField(required=False, widget=lines, **about)
    about["required"] = not item.optional
    if item.type is str:
        about["required"] = about["required"] and item.default != ""
        return forms.CharField(**about)
    limits: dict[str, Any] = {"min_value": item.min_value, "max_value": item.max_value}
    return (forms.IntegerField if item.type is int else forms.FloatField)(**about, **limits)
