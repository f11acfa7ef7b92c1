"""The form for a new run, made from what the method says of itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from alignment.backends import BACKENDS
from alignment.methods import METHODS, Method
from alignment.models import Checkpoint, Promotion, Run
from annotation.exports import EXPORTS
from annotation.models import DatasetVersion
from truing.models import Project
from truing.options import OptionField, fields_of

MOST = 200  # choices of a kind, the newest first


@dataclass
class RunForm:
    """What the page shows, and what is read from it. `launch` says what is wrong."""

    project: Project
    name: str  # of the method
    values: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, list[str]] = field(default_factory=dict)
    problem: str = ""

    @property
    def method(self) -> Method:
        return METHODS[self.name]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The method's options, each with its input, limits and the problem that it has."""
        return [
            _field(item, self.values.get(item.name, item.default), self.problem)
            for item in fields_of(self.method.Options)
        ]

    @property
    def common_problem(self) -> str:
        """The problem, when it is none of one field."""
        return "" if any(item["error"] for item in self.fields) else self.problem

    @property
    def versions(self) -> list[dict[str, Any]]:
        """What this method can train on."""
        found = DatasetVersion.objects.filter(
            dataset__project=self.project, kind__in=EXPORTS[self.method.reads].reads
        ).select_related("dataset__project")
        return [
            {
                "pk": version.pk,
                "name": f"{version.dataset.name}@{version.number}",
                "kind": version.kind,
                "rows": version.manifest["rows"],
                "is_chosen": str(version.pk) in self.chosen.get("datasets", []),
            }
            for version in found.order_by("-pk")[:MOST]
        ]

    @property
    def bases(self) -> list[dict[str, Any]]:
        return self._choices(Checkpoint.objects.policies(), "base")

    @property
    def rewards(self) -> list[dict[str, Any]]:
        return self._choices(Checkpoint.objects.rewards(), "reward")

    def _choices(self, found: Any, kind: str) -> list[dict[str, Any]]:
        wanted = self.chosen.get(kind, [])
        return [
            {"pk": item.pk, "name": item.name, "is_chosen": str(item.pk) in wanted}
            for item in found.filter(project=self.project).order_by("-pk")[:MOST]
        ]

    @property
    def backends(self) -> list[tuple[str, str]]:
        return [(name, backend.label) for name, backend in BACKENDS.items()]


def options_in(method: Method, sent: QueryDict) -> dict[str, Any]:
    """The options as the page sends them: a box that is not ticked is not sent."""
    found: dict[str, Any] = {}
    for item in fields_of(method.Options):
        if item.type is bool:
            found[item.name] = f"option.{item.name}" in sent
        elif (value := sent.get(f"option.{item.name}")) is not None:
            found[item.name] = value.strip()
    return found


def chosen_in(sent: QueryDict) -> dict[str, list[str]]:
    return {name: sent.getlist(name) for name in ("datasets", "base", "reward")}


def suggested(project: Project, chosen: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What is most likely meant where nothing is chosen: the model in force learns on."""
    promotion = Promotion.objects.in_force(project)
    if any(chosen.get("base", [])) or promotion is None:
        return dict(chosen)
    return {**chosen, "base": [str(promotion.checkpoint_id)]}


def like(run: Run) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The options and choices of an earlier run, to change one thing and train again."""
    known = {item.name for item in fields_of(run.training_method.Options)}
    options = {name: value for name, value in run.options.items() if name in known}
    return options, {
        "datasets": _keys(run.datasets.all()),
        "base": _keys([run.base]),
        "reward": _keys([run.reward]),
    }


def _keys(items: Iterable[Any]) -> list[str]:
    return [str(item.pk) for item in items if item]


def _field(item: OptionField, value: Any, problem: str) -> dict[str, Any]:
    kind = "select" if item.choices else {bool: "checkbox", str: "text"}.get(item.type, "number")
    return {
        "name": f"option.{item.name}",
        "label": item.label,
        "help": item.help,
        "kind": kind,
        "value": "" if value is None else value,
        "step": "1" if item.type is int else "any",
        "min": item.min_value,
        "max": item.max_value,
        "choices": item.choices,
        "is_required": not item.optional and item.type is not str,
        "default": "none" if item.default is None else item.default,
        "error": problem if problem.startswith(f"{item.label} ") else "",
    }
