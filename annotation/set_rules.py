"""Say what is done when somebody's work looks like this; change it; and stop doing it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from annotation.conditions import CONDITIONS
from annotation.edit_queue import refuse_reserved
from annotation.handling import checked_skill
from annotation.models import Queue, Rule
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Project, User
from truing.options import build, record_of
from truing.plugins import plugin_named

SENTENCE_LENGTH = 250
EDITABLE = ("options", "then", "skill", "sentence")


class RuleIsGone(Refused):
    """This rule has been removed meanwhile."""


@transaction.atomic
def add_rule(
    project: Project,
    *,
    queue: Queue | None = None,
    when: str,
    options: Mapping[str, Any] | None = None,
    then: Sequence[str],
    skill: str = "",
    sentence: str = "",
    actor: User | None,
) -> Rule:
    """A rule for one queue, or for all of a project; it looks at what comes from now on."""
    condition = plugin_named(CONDITIONS, when, "condition")
    if queue:
        refuse_reserved(queue)
    rule = Rule(
        project=project,
        queue=queue,
        when=when,
        options=record_of(build(condition.Options, options or {})),
    )
    _set_action(rule, then, skill, sentence)
    rule.save()
    record("rule.add", actor=actor, project=project, on=rule, when=when, then=rule.then)
    return rule


@transaction.atomic
def edit_rule(
    rule: Rule,
    *,
    options: Mapping[str, Any] | None = None,
    then: Sequence[str] | None = None,
    skill: str | None = None,
    sentence: str | None = None,
    actor: User | None,
) -> Rule:
    """Change its limits and what it does; what it looks for, and where, stays.

    What it has done stays, too. Whom it has met already it meets again, with their next answer,
    only where it does now what it did not do then.
    """
    found = Rule.objects.select_for_update(no_key=True, of=("self",)).select_related("project")
    now = found.filter(pk=rule.pk).first()
    if now is None:
        raise RuleIsGone
    before = {name: getattr(now, name) for name in EDITABLE}
    if options is not None:
        wanted = {**record_of(now.condition_options), **options}
        now.options = record_of(build(CONDITIONS[now.when].Options, wanted))
    _set_action(
        now,
        now.then if then is None else then,
        now.skill if skill is None else skill,
        now.sentence if sentence is None else sentence,
    )
    changed = {name: getattr(now, name) for name in EDITABLE if getattr(now, name) != before[name]}
    if changed:
        now.save(update_fields=list(changed))
        was = {name: before[name] for name in changed}
        record(
            "rule.edit",
            actor=actor,
            project=now.project,
            on=now,
            when=now.when,
            before=was,
            **changed,
        )
    return now


@transaction.atomic
def remove_rule(rule: Rule, *, actor: User | None) -> None:
    """It does nothing any more. What it has done stays, and can still be undone."""
    record("rule.remove", actor=actor, project=rule.project, on=rule, when=rule.when)
    rule.delete()


def _set_action(rule: Rule, then: Sequence[str], skill: str, sentence: str) -> None:
    known = Rule.Then.values
    if not then or any(one not in known for one in then):
        raise Invalid(f"A rule does at least one of {', '.join(known)}.")
    takes = Rule.Then.TAKE_SKILL in then
    if takes and not skill.strip():
        raise Invalid("Say which skill the rule takes away.")
    if len(sentence) > SENTENCE_LENGTH or "\x00" in sentence:
        raise Invalid(f"What people are told has at most {SENTENCE_LENGTH} characters.")
    rule.then = [one for one in known if one in then]
    rule.skill = checked_skill(skill) if takes else ""
    rule.sentence = sentence.strip()
