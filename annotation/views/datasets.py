"""Datasets: what is frozen, what would be, and what is in a version."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from annotation.access import dataset_for, version_for
from annotation.asked_now import refuse_asked_now
from annotation.behind import votes_behind
from annotation.exports import EXPORTS
from annotation.freeze import freeze, rows_of
from annotation.models import Dataset, DatasetVersion, Task
from annotation.preview import SPLITS, Preview, preview
from annotation.recipe import KINDS
from annotation.veil import sensitive_tasks
from annotation.views.listing import asked_for, page_of
from annotation.views.recipe_form import RecipeForm, initial_of
from truing import storage
from truing.access import Role, project_for
from truing.errors import Refused
from truing.http import Request, key_of
from truing.models import Project
from truing.pages import render

A_PAGE = 50
ROWS = 5
ABOUT_KINDS = {
    "preference": "Pairs of outputs of which people prefer one. For reward models, DPO and PPO.",
    "unpaired_preference": "Outputs that people call good or bad, each for itself. For KTO.",
    "label": "What people call outputs and prompts: ratings, flags, harm, classes.",
    "critique": "What people wrote about outputs, and the stretches that they marked in them.",
    "instruction": "Prompts with an output worth learning. For supervised fine-tuning.",
    "text": "The same, to be modelled as it is, every turn of it. For pretraining.",
}


@require_GET
@login_required
def datasets(request: Request, slug: str) -> HttpResponse:
    """All datasets, the newest first, with their newest version."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    asked = asked_for(request, ["q", "kind"])
    found = Dataset.objects.filter(project=project).with_newest_version()
    if "q" in asked:
        found = found.filter(name__icontains=asked["q"])
    if "kind" in asked:
        found = found.filter(kind=asked["kind"])
    page = page_of(request, found, asked, size=A_PAGE)
    context = {
        "datasets": page.rows,
        "asked": asked,
        "kinds": list(ABOUT_KINDS),
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/datasets.html", context)


@require_GET
@login_required
def dataset(request: Request, slug: str, name: str) -> HttpResponse:
    """A dataset's versions."""
    found = dataset_for(request, slug, name, at_least=Role.CURATOR)
    versions = found.versions.select_related("created_by").order_by("-number")
    before = key_of(request.GET.get("before", ""))
    if before is not None:
        versions = versions.filter(number__lt=before)
    page = list(versions[: A_PAGE + 1])
    address = reverse("dataset", args=[slug, name])
    context = {
        "dataset": found,
        "about": ABOUT_KINDS[found.kind],
        "versions": [_line(version) for version in page[:A_PAGE]],
        "recipe": _recipe_lines(found.kind, found.recipe),
        "next_url": f"{address}?before={page[A_PAGE - 1].number}" if len(page) > A_PAGE else "",
        "first_url": address if before is not None else "",
    }
    return render(request, "annotation/dataset.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def new_dataset(request: Request, slug: str) -> HttpResponse:
    """A recipe for a new dataset, previewed while it is written."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    kind = request.POST.get("kind") or request.GET.get("kind") or "preference"
    if kind not in KINDS:
        raise Http404
    return _freeze_page(request, project, kind, None)


@require_http_methods(["GET", "POST"])
@login_required
def freeze_again(request: Request, slug: str, name: str) -> HttpResponse:
    """The dataset's last recipe, to be changed or taken again."""
    found = dataset_for(request, slug, name, at_least=Role.CURATOR)
    return _freeze_page(request, found.project, found.kind, found)


def _freeze_page(
    request: Request, project: Project, kind: str, dataset: Dataset | None
) -> HttpResponse:
    recipe = dataset.recipe if dataset else {}
    asked = request.POST if request.method == "POST" else request.GET
    # A preview sends the whole form; the first look at the page sends none of it.
    form = RecipeForm(project, kind, asked if "previewed" in asked else None)
    form.initial = initial_of(kind, recipe)
    chosen = form.recipe() if form.is_bound else recipe
    name = dataset.name if dataset else asked.get("name", "").strip()
    context: dict[str, Any] = {
        "dataset": dataset,
        "name": name,
        "note": asked.get("note", ""),
        "kind": kind,
        "about": ABOUT_KINDS[kind],
        "kinds": ABOUT_KINDS,
        "form": form,
        "narrow": form.narrow(),
    }
    try:
        if request.method == "POST":
            return _frozen(request, project, kind, name, chosen)
        # The page comes at once, and then asks for the counts, which may take a while.
        if request.htmx:
            context["preview"] = _counts(preview(project, kind, chosen))
    except Refused as refusal:
        context["problem"] = str(refusal)
    status = 422 if context.get("problem") else 200
    return render(request, "annotation/freeze.html", context, fragment="preview", status=status)


def _frozen(
    request: Request, project: Project, kind: str, name: str, recipe: dict[str, Any]
) -> HttpResponse:
    newest = DatasetVersion.objects.filter(dataset__project=project).order_by("-pk").first()
    note = request.POST.get("note", "").strip()
    version = freeze(project, name=name, kind=kind, recipe=recipe, note=note, actor=request.user)
    if newest and version.pk <= newest.pk:
        messages.info(request, f"Nothing has changed: {version} holds exactly these rows.")
    else:
        messages.success(request, f"{version} is frozen.")
    return redirect("version", project.slug, name, version.number)


@require_GET
@login_required
def version(request: Request, slug: str, name: str, number: int) -> HttpResponse:
    """What is in a version, and what it comes from."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    manifest = found.manifest
    splits = [split for split in SPLITS if split in manifest["files"]]
    split = request.GET.get("split", splits[0])
    if split not in splits:
        raise Http404
    start = key_of(request.GET.get("start", "")) or 0
    rows = list(rows_of(found, split, start=start, stop=start + ROWS))
    total = manifest["rows"][split]
    context = {
        "version": found,
        "name": str(found),
        "kind": found.kind,
        "about": ABOUT_KINDS[found.kind],
        "splits": _splits(manifest),
        "sources": _sources(manifest["counts"]["sources"]),
        "counts": manifest["counts"],
        "agreement": manifest["agreement"],
        "recipe": _recipe_lines(found.kind, found.recipe),
        "guidelines": manifest["guidelines"].items(),
        "formats": [
            {"name": format, "label": export.label}
            for format, export in EXPORTS.items()
            if found.kind in export.reads
        ],
        "length_formats": formats_measured(found),
        "card": card_of(manifest),
        "split": split,
        "rows": _veiled(rows, start, request.GET.get("shown")),
        "kept": [("split", split), ("start", start)],  # while a row is uncovered
        "first": start + 1,
        "last": start + len(rows),
        "total": total,
        "next_start": start + ROWS if start + ROWS < total else None,
        "previous_start": max(0, start - ROWS) if start else None,
    }
    return render(request, "annotation/version.html", context, fragment="rows")


@require_GET
@login_required
def row_votes(
    request: Request, slug: str, name: str, number: int, split: str, row: int
) -> HttpResponse:
    """The votes behind one row."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    rows = list(rows_of(found, split, start=row, stop=row + 1))
    if not rows:
        raise Http404
    project = found.dataset.project
    for task in Task.objects.filter(pk=rows[0]["task"], queue__project=project):
        refuse_asked_now(task, request.user)
    categories = sensitive_tasks([rows[0]["task"]]).get(rows[0]["task"], [])
    context = {
        "categories": categories,
        "is_veiled": bool(categories) and "shown" not in request.GET,
        "name": str(found),
        "version": found,
        "split": split,
        "number": row,
        "row": rows[0],
        "votes": votes_behind(project, rows[0]),
    }
    return render(request, "annotation/votes.html", context, fragment="votes")


def formats_measured(version: DatasetVersion) -> list[tuple[str, str]]:
    """The formats whose rows a trainer cuts into tokens: those of rows, if there are any."""
    fitting = [(name, one) for name, one in EXPORTS.items() if version.kind in one.reads]
    of_rows = [(name, one.label) for name, one in fitting if not one.of_tasks]
    return of_rows or [(name, one.label) for name, one in fitting]


def card_of(manifest: dict[str, Any]) -> str:
    """The text of its card."""
    return storage.existing(manifest["card"]).read_text(encoding="utf-8")


def _line(version: DatasetVersion) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "number": version.number,
        "rows": [manifest["rows"][split] for split in SPLITS],
        "annotations": manifest["annotations"],
        "annotators": manifest["annotators"],
        "digest": version.digest,
        "note": version.note,
        "at": version.created_at,
        "by": version.created_by,
    }


def _counts(counted: Preview) -> dict[str, Any]:
    """A preview as the page shows it."""
    counts = counted.counts()
    left = counted.left
    steps = [
        ("tasks", left.tasks),
        ("without an answer", left.tasks - left.answered),
        ("with too few votes", left.too_few_votes),
        ("pairs", left.pairs),
        ("decided", left.decided),
        ("tied", left.tied),
        ("undecided", left.undecided),
        ("all bad", left.all_bad),
        ("below agreement", left.below_agreement),
        ("not neighbours", left.not_adjacent),
        ("nobody says how good", left.not_scored),
        ("neither good nor bad", left.between),
        ("other sources", left.other_sources),
        ("outputs", left.outputs),
        ("unchanged edits", left.unchanged),
        ("not accepted", left.not_accepted),
        ("corrected by their author", left.withdrawn),
    ]
    return {
        "rows": [(split, counts["rows"][split]) for split in SPLITS],
        "parts": _parts(counts["rows"]),
        "total": counted.total,
        "steps": [step for step in steps if step[1]],
        "annotations": counted.annotations,
        "annotators": len(counted.annotators),
        "empty": counted.empty,
        "tokens": counts["tokens_estimate"],
        "agreement": counted.agreement(),
    }


def _veiled(rows: list[Any], start: int, shown: str | None) -> list[dict[str, Any]]:
    """Rows with their numbers; what is sensitive is veiled but for the one that is uncovered."""
    sensitive = sensitive_tasks([row["task"] for row in rows if row["task"] is not None])
    return [
        {
            "number": number,
            "shown": str(number),
            "categories": sensitive.get(row["task"], []),
            "is_veiled": row["task"] in sensitive and shown != str(number),
            **row,
        }
        for number, row in enumerate(rows, start=start)
    ]


def _splits(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a bar, from left to right, and their files."""
    return [
        {**part, "file": manifest["files"].get(part["name"])} for part in _parts(manifest["rows"])
    ]


def _parts(rows: Mapping[str, int]) -> list[dict[str, Any]]:
    total = sum(rows.values()) or 1
    parts, left = [], 0.0
    for split in SPLITS:
        width = 100 * rows[split] / total
        parts.append({"name": split, "rows": rows[split], "x": left, "w": width})
        left += width
    return parts


def _sources(sources: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Bars by source, the longest first: how often chosen, how often rejected."""
    most = max(sum(sides.values()) for sides in sources.values())
    bars = []
    for name, sides in sources.items():
        good = sides.get("chosen", 0) + sides.get("rows", 0)
        bad = sides.get("rejected", 0)
        bar = {"name": name or "(unknown)", "chosen": good, "rejected": bad}
        bars.append({**bar, "w": 100 * good / most, "w_rejected": 100 * bad / most})
    return sorted(bars, key=lambda bar: (-bar["chosen"] - bar["rejected"], bar["name"]))


def _recipe_lines(kind: str, recipe: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " ").capitalize(), _in_words(name, value))
        for name in KINDS[kind].__dataclass_fields__
        for value in [recipe[name]]
    ]


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or ("all but reviews" if name == "queues" else "all")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")
