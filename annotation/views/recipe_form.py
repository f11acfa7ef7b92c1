"""The form in which a recipe is written: made from what the recipe may say."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import escape

from annotation.aggregators import AGGREGATORS
from annotation.models import Output, Prompt
from annotation.recipe import KINDS, RULES
from truing.models import Project
from truing.options import OptionField, fields_of
from truing.translated import translated

LINES = {"tags", "sources", "flags"}  # lists that are written a line each
OF_OUTPUTS = ("instruction", "text")  # kinds of rows that need no answers
MANY = 12  # names that are suggested beside a field
LABELS = {
    **{name: aggregator.label for name, aggregator in AGGREGATORS.items()},
    "drop": "drop",
    "both": "a row each way round",
    "tie": "a tie",
    "all": "all pairs",
    "adjacent": "neighbours only",
}


class RecipeForm(forms.Form):
    """One recipe of one kind. What is wrong with a value, the recipe itself says."""

    def __init__(self, project: Project, kind: str, written: QueryDict | None) -> None:
        super().__init__(written)
        self.kind = kind
        self.written = written or QueryDict()
        self.fields["queues"] = forms.MultipleChoiceField(
            choices=_queues(project),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text="None ticked means all of them, and outputs of no queue."
            if kind in OF_OUTPUTS
            else "None ticked means all of them, but those of reviews.",
        )
        self.fields["tags"] = _lines("Only prompts with one of these tags.", _tags(project))
        self.fields["sources"] = _lines(
            "Only outputs from these sources, for instance human or checkpoint:17.",
            _sources(project),
        )
        if "flags" in KINDS[kind].__dataclass_fields__:
            self.fields["flags"] = _lines(
                "Outputs are bad that at least half of the voters flag so, or label so.", []
            )
        for item in fields_of(RULES[kind]):
            self.fields[item.name] = _field(item)

    def narrow(self) -> list[forms.BoundField]:
        """The fields that stand two beside each other."""
        return [field for field in self if field.name != "queues"]

    def recipe(self) -> dict[str, Any]:
        """The values as a recipe has them; checked where the recipe is read."""
        values: dict[str, Any] = {"queues": self.written.getlist("queues")}
        for name in LINES & self.fields.keys():
            values[name] = [line.strip() for line in self.written.get(name, "").splitlines()]
        for item in fields_of(RULES[self.kind]):
            values[item.name] = self.written.get(item.name, item.default)
        return values


def initial_of(kind: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """A stored recipe, or the defaults, as the form shows it."""
    shown = {name: getattr(KINDS[kind](), name) for name in KINDS[kind].__dataclass_fields__}
    shown |= recipe
    for name in LINES & shown.keys():
        shown[name] = "\n".join(shown[name])
    shown["queues"] = list(shown["queues"])
    return shown


def _field(item: OptionField) -> forms.Field:
    about: dict[str, Any] = {"label": item.label, "help_text": item.help, "required": False}
    if item.choices:
        choices = [(choice, translated(LABELS.get(choice, choice))) for choice in item.choices]
        return forms.ChoiceField(choices=choices, **about)
    if item.type is bool:
        return forms.BooleanField(**about)
    whole = item.type is int
    widget = forms.NumberInput(
        attrs={"min": item.min_value, "max": item.max_value, "step": 1 if whole else 0.05}
    )
    return (forms.IntegerField if whole else forms.FloatField)(widget=widget, **about)


def _lines(help_text: str, known: list[str]) -> forms.CharField:
    there = ""
    if known:
        names = ", ".join(known[:MANY])
        there = f"There are: {names} and others." if len(known) > MANY else f"There are: {names}."
    return forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": translated("one a line")}),
        help_text=escape(f"{translated(help_text)} {translated(there)}".strip()),
    )


def _queues(project: Project) -> list[tuple[str, str]]:
    queues = project.queues.order_by("pk").values_list("name", "reserved_for")
    return [(name, f"{name} ({owner})" if owner else name) for name, owner in queues]


def _tags(project: Project) -> list[str]:
    found: set[str] = set()
    for tags in Prompt.objects.filter(project=project).exclude(tags=[]).values_list("tags")[:2000]:
        found.update(tags[0])
    return sorted(found)[: MANY + 1]


def _sources(project: Project) -> list[str]:
    newest = Output.objects.filter(prompt__project=project).exclude(source="").order_by("-pk")
    return sorted(set(newest.values_list("source", flat=True)[:2000]))[: MANY + 1]
