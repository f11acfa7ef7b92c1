"""Queues: make them, fill them, watch them, and change what they ask."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, Q
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.access import queue_for
from annotation.ask_blank import ask_blank
from annotation.count_queue import EXAMINED, MANY, WANTED, answers_a_task, count_queues
from annotation.create_queue import create_queue
from annotation.edit_queue import ReservedQueue, edit_queue, set_queue_state
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.fill_queue import MOST_QUESTIONS, fill_queue
from annotation.handling import Handling, handling_of
from annotation.models import Assignment, Prompt, Queue, Task
from annotation.models.queue import HIGHEST_PRIORITY
from annotation.models.task import TaskQuerySet
from annotation.prioritise import prioritise
from annotation.task_types import TASK_TYPES, TaskType
from annotation.views.listing import asked_for, page_of
from annotation.views.queue_form import WORDS, QueueForm
from truing.access import Role, project_for
from truing.errors import Invalid, Refused
from truing.http import Request, key_of
from truing.options import fields_of
from truing.pages import render
from truing.translated import translated

TASKS_A_PAGE = 25
TASK_FILTERS = ("q", "which")
# Which questions of a queue a curator may want to see.
WHICH: dict[str, tuple[str, Q]] = {
    "open": ("Still open", Q(Exists(Assignment.objects.waiting_for_task()))),
    "known": ("With a known answer", Q(gold__isnull=False, is_check=False)),
    "checks": ("Attention checks", Q(gold__isnull=False, is_check=True)),
    "sensitive": ("Sensitive", ~Q(categories=[])),
    "first": ("Before others", Q(priority__gt=0)),
}
FAMILIES = ("Compare", "Judge", "Write")  # in this order; others come last


@require_GET
@login_required
def queues(request: Request, slug: str) -> HttpResponse:
    """All queues, the newest first. How far each has come is counted after the page is there."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    asked = asked_for(request, ["state"])
    found = Queue.objects.filter(project=project)
    if asked.get("state") in Queue.State.values:
        found = found.filter(state=asked["state"])
    page = page_of(request, found, asked)
    counted = request.htmx or "now" in request.GET
    progress = count_queues(page.rows) if counted else {}
    context = {
        "queues": [_row(queue, progress) for queue in page.rows],
        "counted": counted,
        "state": asked.get("state", ""),
        "states": Queue.State.values,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/queues.html", context, fragment="list")


@require_http_methods(["GET", "POST"])
@login_required
def new_queue(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.CURATOR)
    type = request.POST.get("type") or request.GET.get("type") or ""
    if type not in TASK_TYPES:
        return render(request, "annotation/new_queue.html", {"families": _families()})
    form = QueueForm(type, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            queue = create_queue(project, type=type, **form.values(), actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The queue is open. Now put questions into it.")
            return redirect("queue", slug, queue.pk)
    return _show_form(request, form)


@require_GET
@login_required
def queue(request: Request, slug: str, pk: int) -> HttpResponse:
    """One queue: how far it is, its instructions then and now, its questions."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    counted = request.htmx or "now" in request.GET
    progress = count_queues([queue]) if counted else {}
    if counted and request.htmx:
        context = {
            "queue": _row(queue, progress),
            "counted": True,
            "spread": _spread(answers_a_task(queue)),
        }
        return render(request, "annotation/queue.html", context, fragment="progress")
    asked = asked_for(request, TASK_FILTERS)
    purposes = EXAMINED if queue.exam_skill else WANTED
    tasks = _tasks(queue, asked).select_related("prompt").with_slots(purposes)
    page = page_of(request, tasks, asked, newest_first=False, size=TASKS_A_PAGE)
    context = {
        "queue": _row(queue, progress),
        "counted": counted,
        "is_reserved": bool(queue.reserved_for),
        "options": _options(queue),
        "guidelines": list(queue.guidelines.select_related("created_by").order_by("-number")[:50]),
        "handed_out": _handed_out(queue),
        "lacks_known": _lacks_known(queue),
        "spread": _spread(answers_a_task(queue)) if counted else [],
        "tasks": page.rows,
        "asked": asked,
        "whichs": [("", "All questions"), *((name, label) for name, (label, _) in WHICH.items())],
        "highest": HIGHEST_PRIORITY,
        "is_by_priority": queue.order == Queue.Order.PRIORITY,
        "takes_known": not queue.task_type.has_turns,
        "fill_form": fill_form(queue),
        "needs_prompt": queue.task_type.needs_prompt,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/queue.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def queue_edit(request: Request, slug: str, pk: int) -> HttpResponse:
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    if queue.reserved_for:
        raise ReservedQueue
    form = QueueForm(queue.type, request.POST or None, queue=queue)
    if request.method == "POST" and form.is_valid():
        try:
            edit_queue(queue, **form.values(), actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("queue", slug, pk)
    return _show_form(request, form, queue=queue)


@require_POST
@login_required
def queue_state(request: Request, slug: str, pk: int) -> HttpResponse:
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    queue = set_queue_state(queue, request.POST.get("state", ""), actor=request.user)
    messages.success(request, f"The queue is {queue.state}.")
    return redirect("queue", slug, pk)


@require_POST
@login_required
def queue_priority(request: Request, slug: str, pk: int) -> HttpResponse:
    """Hand these questions out before others, or after them."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    asked = {name: request.POST.get(name, "").strip()[:300] for name in TASK_FILTERS}
    asked = {name: value for name, value in asked.items() if value}
    if request.POST.get("of") == "all":
        found = _tasks(queue, asked).order_by("pk")
        tasks = list(found.values_list("pk", flat=True)[: MOST_QUESTIONS + 1])
    else:
        tasks = [key for key in map(key_of, request.POST.getlist("task")) if key]
    if len(tasks) > MOST_QUESTIONS:
        raise Invalid(f"Change {MOST_QUESTIONS:,} questions at a time, at most: use the filter.")
    try:
        priority = int(request.POST.get("priority", ""))
    except ValueError:
        raise Invalid("A priority is a whole number.") from None
    by_priority = "by_priority" in request.POST
    moved = prioritise(queue, tasks, priority, by_priority=by_priority, actor=request.user)
    if not tasks:
        messages.error(request, "Choose the questions first.")
    else:
        one = "1 question has another priority now."
        many = f"{moved:,} questions have another priority now."
        messages.success(request, one if moved == 1 else many)
    return redirect(reverse("queue", args=[slug, pk]) + (f"?{urlencode(asked)}" if asked else ""))


@require_POST
@login_required
def queue_fill(request: Request, slug: str, pk: int) -> HttpResponse:
    """Ask about prompts that are there already."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    form = fill_form(queue, request.POST)
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        messages.error(request, f"{translated(str(form[name].label))}: {problems[0]}")
        return redirect("queue", slug, pk)
    values = form.cleaned_data
    if isinstance(form, BlankForm):
        added = ask_blank(queue, values["number"], brief=form.brief(), actor=request.user)
        messages.success(request, _added(added))
        return redirect("queue", slug, pk)
    filters = {name: values[name] for name in ("tag", "language", "source", "split")}
    prompts = Prompt.objects.filter(project=queue.project).narrowed(**filters)
    added = fill_queue(
        queue,
        prompts,
        outputs_each=values["outputs_each"],
        limit=values["limit"],
        output_source=values.get("output_source", ""),
        written_here=values.get("written_here", False),
        actor=request.user,
    )
    messages.success(request, _added(added))
    return redirect("queue", slug, pk)


@require_GET
@login_required
def queue_feedback(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """The queue's questions and answers as feedback lines."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    name = f"{slug}-{slugify(queue.name) or queue.pk}.feedback.jsonl"
    lines = as_jsonl(export_feedback(queue.project, queue=queue))
    return download(lines, name)


def download(lines: Any, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="application/jsonl")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


class FillForm(forms.Form):
    """Which prompts to ask about, and how many outputs of each."""

    outputs_each = forms.IntegerField(label="Outputs each")  # its limits are the task type's
    limit = forms.IntegerField(label="At most", min_value=1, max_value=MOST_QUESTIONS, initial=1000)
    tag = forms.CharField(required=False, max_length=100)
    source = forms.CharField(
        required=False, max_length=200, help_text="Of the prompt, or of one of its outputs."
    )
    language = forms.CharField(required=False, max_length=35)
    split = forms.ChoiceField(
        required=False,
        choices=[("", gettext_lazy("all")), *((one, one) for one in Prompt.Split.values)],
    )

    def __init__(self, queue: Queue, written: Any = None) -> None:
        super().__init__(written)
        least, most = queue.task_type.min_outputs, queue.task_type.max_outputs
        self.fields["outputs_each"] = forms.IntegerField(
            label="Outputs each",
            min_value=least,
            max_value=most,
            initial=most if queue.task_type.is_gate else least,
            help_text="With one, every output is asked about." if least <= 1 <= most else "",
        )
        if most:
            self.fields["output_source"] = forms.CharField(
                label="Only outputs from",
                required=False,
                max_length=200,
                help_text="A source, for instance human or checkpoint:17.",
            )
        if queue.task_type.is_gate:
            self.fields["written_here"] = forms.BooleanField(
                label="Only what people wrote here", required=False, initial=True
            )


class BlankForm(forms.Form):
    """How many questions without a prompt, and what is wanted."""

    number = forms.IntegerField(
        label="Questions", min_value=1, max_value=MOST_QUESTIONS, initial=100
    )

    def __init__(self, queue: Queue, written: Any = None) -> None:
        super().__init__(written)
        self.items = fields_of(queue.task_type.Brief)
        for item in self.items:
            wide: dict[str, Any] = (
                {"widget": forms.Textarea(attrs={"rows": 3})} if item.name == "text" else {}
            )
            self.fields[f"brief.{item.name}"] = forms.CharField(
                label=item.label, help_text=item.help, required=False, **wide
            )

    def brief(self) -> dict[str, str]:
        return {item.name: self.cleaned_data[f"brief.{item.name}"] for item in self.items}


def fill_form(queue: Queue, written: Any = None) -> FillForm | BlankForm:
    return (FillForm if queue.task_type.needs_prompt else BlankForm)(queue, written)


def _added(number: int) -> str:
    return "1 question was added." if number == 1 else f"{number:,} questions were added."


def _row(queue: Queue, progress: dict[int, Any]) -> dict[str, Any]:
    return {
        "pk": queue.pk,
        "name": queue.name,
        "type": queue.task_type.label,
        "state": queue.state,
        "overlap": queue.overlap,
        "most": queue.most_wanted,
        "is_exam": bool(queue.exam_skill),
        "reserved_for": queue.reserved_for,
        "created_at": queue.created_at,
        "progress": progress.get(queue.pk),
    }


def _options(queue: Queue) -> list[tuple[str, str]]:
    """Each option's help with what is chosen, in words."""
    shown = []
    for item in fields_of(queue.task_type.Options):
        value = getattr(queue.type_options, item.name)
        if isinstance(value, tuple):
            word = "; ".join(value) or "none"
        else:
            word = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
        shown.append((item.label, word))
    return shown


def _families() -> list[tuple[str, list[tuple[str, TaskType]]]]:
    """The ways of asking, those that are like each other together."""
    found: dict[str, list[tuple[str, TaskType]]] = {name: [] for name in FAMILIES}
    for name, one in TASK_TYPES.items():
        found.setdefault(one.family, []).append((name, one))
    return [(family, types) for family, types in found.items() if types]


def _handed_out(queue: Queue) -> list[tuple[str, str]]:
    """What the queue's settings change, in words; what is as usual is not said."""
    usual, own = Handling(), handling_of(queue)
    said = {item.name for item in fields_of(Handling)}
    said = {name for name in said if getattr(own, name) != getattr(usual, name)}
    if own.most_answers:
        said |= {"confidence"}
    if own.exam_skill:
        said |= {"exam_size", "exam_share"}
    return [
        (item.label, WORDS.get(str(value), str(value)))
        for item in fields_of(Handling)
        if item.name in said and (value := getattr(own, item.name)) is not None
    ]


def _lacks_known(queue: Queue) -> str:
    """What cannot be checked because too few answers are known."""
    if not queue.exam_skill and not queue.gold_share:
        return ""
    wanted = queue.exam_size if queue.exam_skill else 1
    known = Task.objects.filter(queue=queue, gold__isnull=False, is_withheld=False)
    number = known.order_by().values("pk")[:wanted].count()
    if number >= wanted:
        return ""
    if queue.exam_skill:
        return (
            f"Nobody can pass this exam yet: it asks {wanted} questions with a known answer, "
            f"and {number} have one."
        )
    return "No question has a known answer yet, so none is mixed in as a check."


def _spread(counted: dict[int, int]) -> list[dict[str, Any]]:
    """The parts of a bar, from left to right: tasks without an answer, with one, and so on."""
    total = sum(counted.values()) or 1
    parts, left = [], 0.0
    for answers, tasks in counted.items():
        width = 100 * tasks / total
        parts.append(
            {
                "answers": answers,
                "is_many": answers == MANY,
                "tasks": tasks,
                "x": left,
                "w": width,
                "opacity": 0.15 + 0.85 * answers / MANY,
            }
        )
        left += width
    return parts


def _show_form(request: Request, form: QueueForm, *, queue: Queue | None = None) -> HttpResponse:
    context = {
        "form": form,
        "queue": queue,
        "type": form.type,
        "task_type": TASK_TYPES[form.type],
    }
    status = 422 if form.is_bound else 200
    return render(request, "annotation/queue_form.html", context, status=status)


def _tasks(queue: Queue, asked: Mapping[str, str]) -> TaskQuerySet:
    """The questions of a queue that a filter finds."""
    found = Task.objects.filter(queue=queue)
    if "q" in asked:
        said = Prompt.objects.filter(project=queue.project_id, text__icontains=asked["q"])
        found = found.filter(prompt__in=said)
    if asked.get("which") in WHICH:
        found = found.filter(WHICH[asked["which"]][1])
    return found
