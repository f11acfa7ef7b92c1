"""Who may open which address: the name of a URL, its methods, and the lowest role for each.

A new URL needs a line in `URL_ROLES`, or `tests/test_every_url.py` fails. An address with more
in it than a project's slug needs a line in `ARGUMENTS` too.
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

# Roles: ANNOTATOR REVIEWER CURATOR ENGINEER OWNER. Beside them:
ANYBODY = "ANYBODY"  # without signing in; a link's secret may be in the address
SIGNED_IN = "SIGNED_IN"  # everybody who has signed in, member of a project or not
SELF = "SELF"  # the person whose object it is; nobody else, whatever their role
MAKER = "MAKER"  # who may make projects; roles do not matter

URL_ROLES: dict[str, dict[str, str]] = {
    # People
    "home": {"GET": SIGNED_IN},
    "sign_in": {"GET": ANYBODY, "POST": ANYBODY},
    "sign_out": {"POST": ANYBODY},
    "set_password": {"GET": ANYBODY, "POST": ANYBODY},
    "invitation": {"GET": ANYBODY, "POST": ANYBODY},
    "account": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "language": {"POST": SIGNED_IN},
    "tokens": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "token_revoke": {"POST": SELF},
    "new_project": {"GET": MAKER, "POST": MAKER},
    "members": {"GET": "OWNER"},
    "member_role": {"POST": "OWNER"},
    "member_remove": {"POST": "OWNER"},
    "member_password_link": {"POST": "OWNER"},
    "invitations": {"POST": "OWNER"},
    "revoke_invitation": {"POST": "OWNER"},
    "audit": {"GET": "OWNER"},
    # The API, and people in it
    "api": {"GET": ANYBODY},
    "api_schema": {"GET": ANYBODY},
    "api_me": {"GET": SIGNED_IN},
    "api_tokens": {"GET": SIGNED_IN},
    "api_token": {"DELETE": SELF},
    "api_projects": {"GET": SIGNED_IN, "POST": MAKER},
    "api_project": {"GET": "ANNOTATOR"},
    "api_members": {"GET": "OWNER"},
    "api_member": {"GET": "OWNER", "PATCH": "OWNER", "DELETE": "OWNER"},
    "api_password_link": {"POST": "OWNER"},
    "api_invitations": {"GET": "OWNER", "POST": "OWNER"},
    "api_invitation": {"DELETE": "OWNER"},
    "api_events": {"GET": "OWNER"},
    # The console
    "queues": {"GET": "CURATOR"},
    "new_queue": {"GET": "CURATOR", "POST": "CURATOR"},
    "queue": {"GET": "CURATOR"},
    "queue_edit": {"GET": "CURATOR", "POST": "CURATOR"},
    "queue_state": {"POST": "CURATOR"},
    "queue_fill": {"POST": "CURATOR"},
    "queue_feedback": {"GET": "CURATOR"},
    "skills": {"GET": "CURATOR", "POST": "CURATOR"},
    "skills_file": {"POST": "CURATOR"},
    "skill_take": {"POST": "CURATOR"},
    "flags": {"GET": "CURATOR"},
    "flag_decide": {"POST": "CURATOR"},
    "api_skills": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_skill": {"DELETE": "CURATOR"},
    "api_flags": {"GET": "CURATOR"},
    "api_flag": {"POST": "CURATOR"},
    "api_priority": {"POST": "CURATOR"},
    "prompts": {"GET": "REVIEWER"},
    "prompt": {"GET": "REVIEWER"},
    "outputs": {"GET": "REVIEWER"},
    "answers": {"GET": "REVIEWER"},
    "feedback": {"GET": "CURATOR"},
    "imports": {"GET": "CURATOR", "POST": "CURATOR"},
    "import": {"GET": "CURATOR"},
    "import_start": {"POST": "CURATOR"},
    "import_cancel": {"POST": "CURATOR"},
    "import_refusals": {"GET": "CURATOR"},
    "api_queues": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_queue": {"GET": "CURATOR", "PATCH": "CURATOR"},
    "api_tasks": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_prompts": {"GET": "REVIEWER"},
    "api_prompt": {"GET": "REVIEWER"},
    "api_annotations": {"GET": "REVIEWER"},
    "api_feedback": {"GET": "CURATOR"},
    "api_imports": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_import": {"GET": "CURATOR"},
    # The desk
    "waiting": {"GET": "ANNOTATOR"},
    "desk": {"GET": "ANNOTATOR"},
    "answer": {"POST": SELF},
    "skip": {"POST": SELF},
    "draft": {"POST": SELF},
    "hold": {"POST": SELF},
    "preview": {"POST": "ANNOTATOR"},
    "annotator_pause": {"POST": "REVIEWER"},
    "api_annotators": {"GET": "REVIEWER"},
    "api_pause": {"POST": "REVIEWER"},
    "api_resume": {"POST": "REVIEWER"},
    "known_answer": {"GET": "CURATOR", "POST": "CURATOR"},
    "queue_priority": {"POST": "CURATOR"},
    "known_forget": {"POST": "CURATOR"},
    "api_known": {"PUT": "CURATOR", "DELETE": "CURATOR"},
    "care_choice": {"POST": "ANNOTATOR"},
    "api_care": {"GET": "ANNOTATOR", "POST": "ANNOTATOR"},
    "take_back": {"GET": "ANNOTATOR"},
    "last_answers": {"GET": "ANNOTATOR"},
    "correct_answer": {"GET": SELF, "POST": SELF},
    "correction_draft": {"POST": SELF},
    "chat_say": {"POST": SELF},
    "chat_replies": {"POST": SELF},
    "chat_judge": {"POST": SELF},
    "chat_regenerate": {"POST": SELF},
    "chat_end": {"POST": SELF},
    "api_chat": {"GET": SELF},
    "api_chat_say": {"POST": SELF},
    "api_chat_replies": {"POST": SELF},
    "api_chat_judge": {"POST": SELF},
    "api_chat_regenerate": {"POST": SELF},
    "api_chat_end": {"POST": SELF},
    "api_next": {"POST": "ANNOTATOR"},
    "api_answer": {"POST": SELF},
    "api_skip": {"POST": SELF},
    "api_hold": {"POST": SELF},
    "api_correct": {"POST": SELF},
    # Annotators and rules
    "annotators": {"GET": "REVIEWER"},
    "annotator": {"GET": "REVIEWER"},
    "annotator_resume": {"POST": "REVIEWER"},
    "firing_undo": {"POST": "REVIEWER"},
    "my_work": {"GET": "ANNOTATOR"},
    "notice_read": {"POST": "ANNOTATOR"},
    "rules": {"GET": "CURATOR", "POST": "CURATOR"},
    "rule_remove": {"POST": "CURATOR"},
    "api_standings": {"GET": "REVIEWER"},
    "api_rules": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_firings": {"GET": "REVIEWER"},
    "api_firing_undo": {"POST": "REVIEWER"},
    # Adjudication
    "disputes": {"GET": "REVIEWER"},
    "dispute_next": {"GET": "REVIEWER"},
    "dispute": {"GET": "REVIEWER"},
    "dispute_settle": {"POST": "REVIEWER"},
    "dispute_draft": {"POST": "REVIEWER"},
    "dispute_hold": {"POST": "REVIEWER"},
    "dispute_decide": {"POST": "REVIEWER"},
    "threads": {"GET": "REVIEWER"},
    "task_comment": {"POST": "REVIEWER"},
    "guideline_diff": {"GET": "REVIEWER"},
    "my_thread": {"GET": SELF, "POST": SELF},
    "guideline_ask_again": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_disputes": {"GET": "REVIEWER"},
    "api_dispute": {"GET": "REVIEWER"},
    "api_settle": {"POST": "REVIEWER"},
    "api_reopen": {"POST": "REVIEWER"},
    "api_send_back": {"POST": "REVIEWER"},
    "api_ask_another": {"POST": "REVIEWER"},
    "api_comments": {"GET": "ANNOTATOR", "POST": "ANNOTATOR"},
    "api_ask_again": {"POST": "CURATOR"},
    # Agreement and datasets
    "agreement": {"GET": "REVIEWER"},
    "leaderboard": {"GET": "REVIEWER"},
    "api_leaderboard": {"GET": "REVIEWER"},
    "datasets": {"GET": "CURATOR"},
    "new_dataset": {"GET": "CURATOR", "POST": "CURATOR"},
    "dataset": {"GET": "CURATOR"},
    "freeze_again": {"GET": "CURATOR", "POST": "CURATOR"},
    "version": {"GET": "CURATOR"},
    "version_row_votes": {"GET": "CURATOR"},
    "version_download": {"GET": "CURATOR"},
    "version_file": {"GET": "CURATOR"},
    "version_lengths": {"GET": "CURATOR"},
    "api_agreement": {"GET": "REVIEWER"},
    "api_datasets": {"GET": "CURATOR", "POST": "CURATOR"},
    "api_dataset_preview": {"POST": "CURATOR"},
    "api_dataset": {"GET": "CURATOR"},
    "api_version": {"GET": "CURATOR"},
    "api_version_rows": {"GET": "CURATOR"},
    # Endpoints
    "endpoints": {"GET": "ENGINEER"},
    "new_endpoint": {"GET": "ENGINEER", "POST": "ENGINEER"},
    "endpoint": {"GET": "ENGINEER", "POST": "ENGINEER"},
    "endpoint_check": {"POST": "ENGINEER"},
    "endpoint_switch": {"POST": "ENGINEER"},
    "api_endpoints": {"GET": "ENGINEER", "POST": "ENGINEER"},
    "api_endpoint": {"GET": "ENGINEER", "PATCH": "ENGINEER"},
    "api_endpoint_check": {"POST": "ENGINEER"},
    # Runs
    "runs": {"GET": "REVIEWER"},
    "new_run": {"GET": "ENGINEER", "POST": "ENGINEER"},
    "run": {"GET": "REVIEWER"},
    "run_metrics": {"GET": "REVIEWER"},
    "run_cancel": {"POST": "ENGINEER"},
    "run_resume": {"POST": "ENGINEER"},
    "api_runs": {"GET": "REVIEWER", "POST": "ENGINEER"},
    "api_run": {"GET": "REVIEWER"},
    "api_run_metrics": {"GET": "REVIEWER"},
    "api_run_cancel": {"POST": "ENGINEER"},
    "api_run_resume": {"POST": "ENGINEER"},
    "api_methods": {"GET": "REVIEWER"},
    # Checkpoints and generations
    "checkpoints": {"GET": "REVIEWER"},
    "checkpoint_add": {"POST": "ENGINEER"},
    "checkpoint": {"GET": "REVIEWER"},
    "checkpoint_download": {"GET": "ENGINEER"},
    "checkpoint_generate": {"POST": "ENGINEER"},
    "checkpoint_review": {"POST": "ENGINEER"},
    "checkpoint_promote": {"POST": "ENGINEER"},
    "checkpoint_serve": {"POST": "ENGINEER"},
    "checkpoint_stop": {"POST": "ENGINEER"},
    "api_checkpoint_serve": {"POST": "ENGINEER"},
    "api_checkpoint_stop": {"POST": "ENGINEER"},
    "api_servings": {"GET": "REVIEWER"},
    "generation_cancel": {"POST": "ENGINEER"},
    "api_checkpoints": {"GET": "REVIEWER", "POST": "ENGINEER"},
    "api_checkpoint": {"GET": "REVIEWER"},
    "api_checkpoint_generate": {"POST": "ENGINEER"},
    "api_checkpoint_promote": {"POST": "ENGINEER"},
    "api_promotions": {"GET": "REVIEWER"},
    "api_generations": {"GET": "REVIEWER"},
    "api_generation": {"GET": "REVIEWER"},
    "api_generation_cancel": {"POST": "ENGINEER"},
    # Overview and reviews
    "project": {"GET": "ANNOTATOR"},
    "reviews": {"GET": "REVIEWER"},
    "review": {"GET": "REVIEWER"},
    "review_finish": {"POST": "ENGINEER"},
    "review_promote": {"POST": "ENGINEER"},
    "review_reject": {"POST": "ENGINEER"},
    "api_reviews": {"GET": "REVIEWER", "POST": "ENGINEER"},
    "api_review": {"GET": "REVIEWER"},
    "api_review_finish": {"POST": "ENGINEER"},
    "api_review_reject": {"POST": "ENGINEER"},
}


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
    given = submit(next_assignment(project, person), {"tiers": [["a"], ["b"]]}, key="a key")
    return {"pk": given.pk}


def a_dispute(project, person):
    task = make.task(project, answers=0)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    return {"pk": task.pk}


def an_answered_task(project, person):
    make.task(project)
    given = submit(next_assignment(project, person), {"tiers": [["a"], ["b"]]}, key="a key")
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
    "rule_remove": a_rule,
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
