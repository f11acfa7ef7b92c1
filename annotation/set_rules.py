"""Say what is done when somebody's work looks like this; and stop doing it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from annotation.conditions import CONDITIONS
from annotation.edit_queue import refuse_reserved
from annotation.handling import checked_skill
from annotation.models import Queue, Rule
from truing.audit import record
from truing.errors import Invalid
from truing.models import Project, User
from truing.options import build, record_of
from truing.plugins import plugin_named

SENTENCE_LENGTH = 250


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
    known = Rule.Then.values
    if not then or any(one not in known for one in then):
        raise Invalid(f"A rule does at least one of {', '.join(known)}.")
    takes = Rule.Then.TAKE_SKILL in then
    if takes and not skill.strip():
        raise Invalid("Say which skill the rule takes away.")
    if len(sentence) > SENTENCE_LENGTH or "\x00" in sentence:
        raise Invalid(f"What people are told has at most {SENTENCE_LENGTH} characters.")
    rule = Rule.objects.create(
        project=project,
        queue=queue,
        when=when,
        options=record_of(build(condition.Options, options or {})),
        then=[one for one in known if one in then],
        skill=checked_skill(skill) if takes else "",
        sentence=sentence.strip(),
    )
    record("rule.add", actor=actor, project=project, on=rule, when=when, then=rule.then)
    return rule


@transaction.atomic
def remove_rule(rule: Rule, *, actor: User | None) -> None:
    """It does nothing any more. What it has done stays, and can still be undone."""
    record("rule.remove", actor=actor, project=rule.project, on=rule, when=rule.when)
    rule.delete()
