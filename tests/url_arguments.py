"""What stands in an address beside a project's slug: made for whoever asks.

A URL with more in it than the slug needs a line in `ARGUMENTS`, or `tests/test_every_url.py` fails.
"""

from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from alignment.models import Checkpoint, Generation, Review, Run
from annotation.assign import next_assignment
from annotation.freeze import freeze
from annotation.models import Firing, Flag, Grant, Rule, Standing
from annotation.receive_import import receive_import
from annotation.submit import submit
from tests import make
from truing.models import ApiToken, Invitation, Membership, PasswordLink
from truing.secret import digest_of


def a_member(project, person):
    newcomer = make.user("newcomer")
    membership = Membership.objects.create(project=project, user=newcomer)
    return {"pk": membership.pk}


def an_invitation(project, person, secret="an open invitation"):
    owner = project.memberships.owners().first().user
    return Invitation.objects.create(
        project=project,
        email="invited@example.org",
        role=Membership.Role.ANNOTATOR,
        digest=digest_of(secret),
        created_by=owner,
        expires_at=timezone.now() + timedelta(days=1),
    )


def a_token(project, person):
    token = ApiToken.objects.create(user=person, name="A token", digest=digest_of("a token"))
    return {"pk": token.pk}


def a_question(project, person):
    make.task(project)
    return {"pk": next_assignment(project, person).pk}


def a_chat(project, person):
    """A chat in which something has been said."""
    make.endpoint(project)
    make.task(project, type="chat", outputs=())
    return {"pk": next_assignment(project, person).pk}


def an_answer(project, person):
    make.task(project)
    given = submit(
        next_assignment(project, person), {"tiers": [["a"], ["b"]]}, key=f"a key of {person.pk}"
    )
    return {"pk": given.pk}


def a_dispute(project, person):
    task = make.task(project, answers=0)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    return {"pk": task.pk}


def an_answered_task(project, person):
    make.task(project)
    given = submit(
        next_assignment(project, person), {"tiers": [["a"], ["b"]]}, key=f"a key of {person.pk}"
    )
    return {"pk": given.assignment.task_id}


def an_old_guideline(project, person):
    queue = make.queue(project)
    queue.guidelines.create(number=1, text="Be kind.")
    queue.guidelines.create(number=2, text="Be fair.")
    return {"pk": queue.pk, "number": 1}


def a_run(project, person):
    return {"pk": Run.objects.create(project=project, method="sft").pk}


def a_checkpoint(project, person):
    folder = Path(settings.CHECKPOINTS) / "a-model"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    made = Checkpoint.objects.create(
        project=project, name="a-model", kind=Checkpoint.Kind.POLICY, path=str(folder)
    )
    return {"pk": made.pk}


def a_generation(project, person):
    model = a_checkpoint(project, person)["pk"]
    made = Generation.objects.create(project=project, checkpoint_id=model, prompts=[])
    return {"pk": made.pk}


def an_endpoint(project, person):
    return {"pk": make.endpoint(project).pk}


def a_queue(project, person):
    return {"pk": make.queue(project).pk}


def a_task(project, person):
    return {"pk": make.task(project).pk}


def an_annotator(project, person):
    return {"pk": make.annotator(project).pk}


def a_rule(project, person):
    queue = make.queue(project)
    made = Rule.objects.create(project=project, queue=queue, when="careless", then=["tell"])
    return {"pk": made.pk}


def a_rule_of_a_queue(project, person):
    rule = Rule.objects.get(pk=a_rule(project, person)["pk"])
    return {"pk": rule.queue_id, "rule": rule.pk}


def a_firing(project, person):
    standing = Standing.objects.create(
        queue=make.queue(project), annotator=make.annotator(project, "w2")
    )
    made = Firing.objects.create(standing=standing, when="careless", then=["tell"], reason="So.")
    return {"pk": made.pk}


def a_prompt(project, person):
    return {"pk": make.task(project).prompt.pk}


def an_import(project, person):
    """A file that waits for somebody's yes, with lines that were refused."""
    content = make.feedback_line(make.task(project))
    one = receive_import(project, SimpleUploadedFile("file.jsonl", content), actor=person)
    one.refusals_file.write_text("{}\n")
    return {"pk": one.pk}


def a_password_link(project, person):
    PasswordLink.objects.create(
        user=make.user("forgetful"),
        digest=digest_of("forgotten"),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return {"secret": "forgotten"}


def a_version(project, person, **more):
    """A frozen version of one row, and where it stands."""
    task = make.task(project)
    make.vote(task, "a", "b")
    version = freeze(project, name="first", kind="preference", actor=None)
    at = {"name": "first", "number": version.number, "split": task.prompt.split, **more}
    return {name: value for name, value in at.items() if value is not None}


def a_review(project, person):
    models = [
        Checkpoint.objects.create(project=project, name=name, kind="policy", path=f"/no/{name}")
        for name in ("candidate", "baseline")
    ]
    review = Review.objects.create(
        project=project, candidate=models[0], baseline=models[1], prompts=[]
    )
    return {"pk": review.pk}


def a_grant(project, person):
    annotator = make.annotator(project)
    return {"pk": Grant.objects.create(annotator=annotator, skill="language:de", how="hand").pk}


def a_flag(project, person):
    return {"pk": Flag.objects.create(task=make.task(project), reason="It is empty.").pk}


# What the addresses need: called with the project and the person who asks (for an outsider: the
# project's owner), gives the address's arguments. The slug is always there.
ARGUMENTS = {
    "set_password": a_password_link,
    "invitation": lambda project, person: {
        "secret": an_invitation(project, person, "come in") and "come in"
    },
    "token_revoke": a_token,
    "api_token": a_token,
    "annotator": an_annotator,
    "annotator_resume": an_annotator,
    "annotator_pause": an_annotator,
    "api_pause": an_annotator,
    "api_resume": an_annotator,
    "known_answer": a_task,
    "known_forget": a_task,
    "api_known": a_task,
    "queue_priority": a_queue,
    "firing_undo": a_firing,
    "api_firing_undo": a_firing,
    "rule_edit": a_rule_of_a_queue,
    "rule_remove": a_rule,
    "api_rule": a_rule,
    "rules": a_queue,
    "api_rules": a_queue,
    "queue": a_queue,
    "queue_edit": a_queue,
    "queue_state": a_queue,
    "queue_fill": a_queue,
    "queue_feedback": a_queue,
    "api_priority": a_queue,
    "skill_take": a_grant,
    "api_skill": a_grant,
    "flag_decide": a_flag,
    "api_flag": a_flag,
    "prompt": a_prompt,
    "import": an_import,
    "import_start": an_import,
    "import_cancel": an_import,
    "import_refusals": an_import,
    "api_queue": a_queue,
    "api_tasks": a_queue,
    "api_prompt": a_prompt,
    "api_import": an_import,
    "dispute": a_dispute,
    "dispute_settle": a_dispute,
    "dispute_draft": a_dispute,
    "dispute_hold": a_dispute,
    "dispute_decide": a_dispute,
    "task_comment": a_dispute,
    "guideline_diff": a_queue,
    "my_thread": an_answered_task,
    "guideline_ask_again": an_old_guideline,
    "api_dispute": a_dispute,
    "api_settle": a_dispute,
    "api_reopen": a_dispute,
    "api_send_back": a_dispute,
    "api_ask_another": a_dispute,
    "api_comments": an_answered_task,
    "api_ask_again": a_queue,
    "member_role": a_member,
    "member_remove": a_member,
    "answer": a_question,
    "skip": a_question,
    "draft": a_question,
    "hold": a_question,
    "correct_answer": an_answer,
    "correction_draft": an_answer,
    "api_answer": a_question,
    "api_skip": a_question,
    "api_hold": a_question,
    "api_correct": an_answer,
    "chat_say": a_chat,
    "chat_replies": a_chat,
    "chat_judge": a_chat,
    "chat_regenerate": a_chat,
    "chat_end": a_chat,
    "api_chat": a_chat,
    "api_chat_say": a_chat,
    "api_chat_replies": a_chat,
    "api_chat_judge": a_chat,
    "api_chat_regenerate": a_chat,
    "api_chat_end": a_chat,
    "member_password_link": a_member,
    "revoke_invitation": lambda project, person: {"pk": an_invitation(project, person).pk},
    "endpoint": an_endpoint,
    "endpoint_check": an_endpoint,
    "endpoint_switch": an_endpoint,
    "api_endpoint": an_endpoint,
    "api_endpoint_check": an_endpoint,
    "run": a_run,
    "run_metrics": a_run,
    "run_cancel": a_run,
    "run_resume": a_run,
    "api_run": a_run,
    "api_run_metrics": a_run,
    "api_run_cancel": a_run,
    "api_run_resume": a_run,
    "checkpoint": a_checkpoint,
    "checkpoint_download": a_checkpoint,
    "checkpoint_generate": a_checkpoint,
    "checkpoint_review": a_checkpoint,
    "checkpoint_promote": a_checkpoint,
    "checkpoint_serve": a_checkpoint,
    "checkpoint_stop": a_checkpoint,
    "api_checkpoint_serve": a_checkpoint,
    "api_checkpoint_stop": a_checkpoint,
    "generation_cancel": a_generation,
    "api_checkpoint": a_checkpoint,
    "api_checkpoint_generate": a_checkpoint,
    "api_checkpoint_promote": a_checkpoint,
    "api_generation": a_generation,
    "api_generation_cancel": a_generation,
    "review": a_review,
    "review_finish": a_review,
    "review_promote": a_review,
    "review_reject": a_review,
    "api_review": a_review,
    "api_review_finish": a_review,
    "api_review_reject": a_review,
    "api_member": a_member,
    "api_password_link": a_member,
    "api_invitation": lambda project, person: {"pk": an_invitation(project, person).pk},
    "dataset": partial(a_version, number=None, split=None),
    "freeze_again": partial(a_version, number=None, split=None),
    "version": partial(a_version, split=None),
    "version_row_votes": partial(a_version, row=0),
    "version_download": partial(a_version, format="trl_preference"),
    "version_lengths": partial(a_version, split=None),
    "version_file": partial(a_version, split=None, file="manifest"),
    "api_dataset": partial(a_version, number=None, split=None),
    "api_version": partial(a_version, split=None),
    "api_version_rows": partial(a_version, written_as="trl_preference"),
}
