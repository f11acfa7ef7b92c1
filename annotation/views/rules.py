"""The rules that watch a queue: added, changed, removed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access import queue_for, rule_for, rule_over
from annotation.conditions import CONDITIONS
from annotation.models import Rule
from annotation.set_rules import SENTENCE_LENGTH, add_rule, edit_rule, remove_rule
from annotation.views.queue_form import option_field
from truing.access import Role
from truing.errors import Refused
from truing.http import Request, key_of
from truing.options import fields_of, record_of
from truing.pages import render
from truing.plugins import plugin_named
from truing.translated import translated

USUAL = "gold_failed"  # which condition the form for another rule begins with


@require_http_methods(["GET", "POST"])
@login_required
def rules(request: Request, slug: str, pk: int) -> HttpResponse:
    """The rules that watch a queue; or another one."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    if request.method == "POST":
        when = request.POST.get("when", "")
        plugin_named(CONDITIONS, when, "condition")
    else:
        when = request.GET.get("when", "")
    form = RuleForm(when if when in CONDITIONS else USUAL, request.POST or None)
    if request.method == "POST" and form.is_valid():
        for_one = None if form.cleaned_data["is_for_all"] else queue
        try:
            add_rule(queue.project, queue=for_one, when=when, **form.values(), actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The rule holds from now on.")
            return redirect("rules", slug, pk)
    context = {
        "queue": queue,
        "rules": [_row(one) for one in Rule.objects.over(queue)[:200]],
        "form": form,
        "whens": [(name, condition.label) for name, condition in CONDITIONS.items()],
    }
    status = 422 if form.is_bound else 200
    return render(request, "annotation/rules.html", context, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def rule_edit(request: Request, slug: str, pk: int, rule: int) -> HttpResponse:
    """Change a rule that watches this queue."""
    queue, changed = rule_over(request, slug, pk, rule)
    form = RuleForm(changed.when, request.POST or None, rule=changed)
    if request.method == "POST" and form.is_valid():
        try:
            edit_rule(changed, **form.values(), actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The rule is changed. What it did stays.")
            return redirect("rules", slug, pk)
    context = {"queue": queue, "rule": _row(changed), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "annotation/rule.html", context, status=status)


@require_POST
@login_required
def rule_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    rule = rule_for(request, slug, pk)
    queue = rule.queue_id or key_of(request.POST.get("queue", ""))  # where they came from
    remove_rule(rule, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, "The rule is gone. What it did stays.")
    return redirect("rules", slug, queue) if queue else redirect("queues", slug)


class RuleForm(forms.Form):
    """What is looked for, and what is done."""

    then = forms.MultipleChoiceField(
        choices=Rule.Then.choices, widget=forms.CheckboxSelectMultiple, label="Then"
    )
    skill = forms.CharField(
        required=False,
        max_length=100,
        label="Skill",
        help_text="Which is taken away, where that is done: expertise:medicine.",
    )
    sentence = forms.CharField(
        required=False,
        max_length=SENTENCE_LENGTH,
        label="What they are told",
        help_text="Empty: a kind sentence of ours.",
    )
    is_for_all = forms.BooleanField(required=False, label="In all queues of this project")

    def __init__(self, when: str, written: QueryDict | None, *, rule: Rule | None = None) -> None:
        self.when = when
        self.items = fields_of(CONDITIONS[when].Options)
        super().__init__(written, initial=_initial(rule) if rule else None)
        self.fields["then"].choices = [  # type: ignore[attr-defined]
            (name, translated(str(label))) for name, label in Rule.Then.choices
        ]
        for item in self.items:
            self.fields[item.name] = option_field(item)
        if rule:
            del self.fields["is_for_all"]  # where it holds, it holds

    def option_fields(self) -> list[forms.BoundField]:
        return [self[item.name] for item in self.items]

    def values(self) -> dict[str, Any]:
        written = self.cleaned_data
        return {
            "options": {item.name: written[item.name] for item in self.items},
            "then": written["then"],
            "skill": written["skill"],
            "sentence": written["sentence"],
        }


def _initial(rule: Rule) -> dict[str, Any]:
    shown = {item: getattr(rule, item) for item in ("then", "skill", "sentence")}
    return {**record_of(rule.condition_options), **shown}


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "pk": rule.pk,
        "when": rule.get_when_display(),
        "limits": _limits(rule),
        "then": in_words(rule.then, rule.skill),
        "is_for_all": rule.queue_id is None,
    }


def in_words(then: list[str], skill: str = "") -> str:
    labels = dict(Rule.Then.choices)
    words = ", ".join(translated(str(labels.get(one, one))) for one in then)
    return f"{words}: {skill}" if skill else words


def _limits(rule: Rule) -> list[tuple[str, Any]]:
    """What it looks for, with what it leaves to the usual."""
    options = rule.condition_options
    return [
        (item.label, getattr(options, item.name))
        for item in fields_of(CONDITIONS[rule.when].Options)
        if getattr(options, item.name)  # 0 is never
    ]
