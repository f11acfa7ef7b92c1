"""Let rules look at somebody's work, and do what they say; and undo it."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from annotation.conditions import CONDITIONS
from annotation.fit_slots import fit_slots
from annotation.grant import grant, take_away
from annotation.models import Annotator, Firing, Grant, Rule, Standing
from annotation.retag import retag_answered_by
from truing.audit import record
from truing.errors import Refused
from truing.models import User

Then = Rule.Then
KIND = {
    "careless": "Some of your answers differ from what we expected. Please take a calm look at the "
    "guideline before you go on.",
    "one_side": "You have often chosen the same side. Please read both before you decide.",
    "too_fast": "You are very quick. Please take the time that each question needs.",
    "skipped_in_row": "You have skipped several questions in a row. If these are not for you, "
    "tell a reviewer: there may be others that suit you better.",
}
OTHERWISE = "Please take a calm look at the guideline before you go on."
PAUSED = "A reviewer is looking at your work, so there are no new questions for you just now. "


class AlreadyUndone(Refused):
    """This has already been undone."""


def enforce(standing: Standing, rules: Iterable[Rule]) -> list[Firing]:
    """Do what each rule says whose condition is met. A rule fires once for the same work."""
    figures = standing.figures()
    fired = []
    for rule in rules:
        reason = CONDITIONS[rule.when].met_by(figures, rule.condition_options)
        if reason and not Firing.objects.for_work_of(standing).that_did(rule).exists():
            fired.append(_fire(rule, standing, reason))
    return fired


def _fire(rule: Rule, standing: Standing, reason: str) -> Firing:
    firing = Firing.objects.create(
        rule=rule,
        standing=standing,
        when=rule.when,
        then=rule.then,
        skill=_taken(rule, standing, reason),
        reason=reason[:500],
    )
    annotator = Annotator.objects.select_related("project").get(pk=standing.annotator_id)
    sentence = rule.sentence or KIND.get(rule.when, OTHERWISE)
    if Then.PAUSE in rule.then and not annotator.paused_by_hand:
        annotator.paused_at = annotator.paused_at or timezone.now()
        annotator.paused_because = (PAUSED + sentence)[:300]
        annotator.save(update_fields=["paused_at", "paused_because"])
    elif Then.TELL in rule.then:
        annotator.notice = sentence
        annotator.save(update_fields=["notice"])
    if {Then.LEAVE_OUT, Then.ASK_AGAIN} & set(rule.then):
        standing.left_out_at = standing.left_out_at or timezone.now()
        standing.save(update_fields=["left_out_at"])
        retag_answered_by(standing.annotator_id, standing.queue)
    if Then.ASK_AGAIN in rule.then:
        fit_slots(standing.queue, _answered_by(standing))
    record(
        "rule.fire",
        actor=None,
        project=annotator.project,
        on=firing,
        annotator=annotator.pseudonym,
        queue=standing.queue_id,
        when=rule.when,
        then=rule.then,
    )
    return firing


def ask_in_place(standing: Standing, task: int) -> None:
    """What somebody answers whose answers are left out is asked another, where a rule says so."""
    fired = Firing.objects.in_force().filter(standing=standing)
    if fired.filter(then__contains=[Then.ASK_AGAIN]).exists():
        fit_slots(standing.queue, [task])


def _taken(rule: Rule, standing: Standing, reason: str) -> str:
    """The skill that is taken away from them, if they have it."""
    if Then.TAKE_SKILL not in rule.then:
        return ""
    held = Grant.objects.standing().select_related("annotator__project")
    found = held.filter(annotator=standing.annotator_id, skill=rule.skill).first()
    if found is None:
        return ""
    take_away(found, because=reason, actor=None)
    return rule.skill


@transaction.atomic
def undo_firing(firing: Firing, *, actor: User | None) -> Firing:
    """Take back what a rule did. Their counting for rules begins anew."""
    # The person first, as when they answer: who takes locks the other way round waits for ever.
    Annotator.objects.select_for_update(no_key=True).get(pk=firing.standing.annotator_id)
    standing = (
        Standing.objects.select_for_update(of=("self",))
        .select_related("queue__project", "annotator__project")
        .get(pk=firing.standing_id)
    )
    undone = Firing.objects.in_force().filter(pk=firing.pk)
    if not undone.update(undone_at=timezone.now(), undone_by=actor):
        raise AlreadyUndone
    begin_anew(standing)
    _take_back(standing, firing, actor)
    standing.save()
    retag_answered_by(standing.annotator_id, standing.queue)
    if {Then.LEAVE_OUT, Then.ASK_AGAIN} & set(firing.then) and standing.left_out_at is None:
        fit_slots(standing.queue, _answered_by(standing))
    record(
        "rule.undo",
        actor=actor,
        project=standing.queue.project,
        on=firing,
        annotator=standing.annotator.pseudonym,
        queue=standing.queue_id,
        when=firing.when,
        then=firing.then,
    )
    firing.refresh_from_db()
    return firing


def begin_anew(standing: Standing) -> None:
    """What came until now speaks for or against them no more."""
    standing.since = timezone.now()
    standing.before = standing.counters()
    standing.skips_in_row = standing.judged = 0
    standing.accuracy = None
    standing.of_others = standing.suspicion = 0.0
    standing.leaning_left = standing.leaning_right = standing.haste = 0.0


def _take_back(standing: Standing, firing: Firing, actor: User | None) -> None:
    """Unless another firing still stands that says the same."""
    still = Firing.objects.in_force().exclude(pk=firing.pk)
    here = {then for one in still.filter(standing=standing) for then in one.then}
    of_person = still.filter(standing__annotator=standing.annotator_id)
    everywhere = {then for one in of_person for then in one.then}
    if not {Then.LEAVE_OUT, Then.ASK_AGAIN} & here:
        standing.left_out_at = None
    annotator = Annotator.objects.filter(pk=standing.annotator_id)
    if Then.PAUSE in firing.then and Then.PAUSE not in everywhere:
        annotator.filter(paused_by_hand=False).update(paused_at=None, paused_because="")
    if Then.TELL in firing.then:
        annotator.update(notice="")
    if firing.skill and not of_person.filter(skill=firing.skill).exists():
        _give_back(standing, firing.skill, actor)


def _give_back(standing: Standing, skill: str, actor: User | None) -> None:
    """The skill that a rule took, as it was given before."""
    taken = Grant.objects.filter(annotator=standing.annotator_id, skill=skill)
    before = taken.order_by("-taken_at").first()
    how, queue = (before.how, before.queue) if before else (Grant.How.HAND, None)
    grant(standing.annotator, skill, how=how, queue=queue, actor=actor)


def _answered_by(standing: Standing) -> list[int]:
    slots = standing.annotator.assignments.filter(queue=standing.queue_id, state="answered")
    return list(slots.values_list("task_id", flat=True))
