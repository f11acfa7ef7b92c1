"""What people disagree on, and what is said about it."""

from django.urls import path

from annotation.api import adjudicate as api_views
from annotation.views import adjudicate, ask_again, disputes, threads

pages = [
    path("adjudicate/", disputes.disputes, name="disputes"),
    path("adjudicate/next/", disputes.dispute_next, name="dispute_next"),
    path("adjudicate/threads/", threads.threads, name="threads"),
    path("adjudicate/guideline/<int:pk>/", ask_again.guideline_diff, name="guideline_diff"),
    path("adjudicate/<int:pk>/", adjudicate.dispute, name="dispute"),
    path("adjudicate/<int:pk>/settle/", adjudicate.dispute_settle, name="dispute_settle"),
    path("adjudicate/<int:pk>/draft/", adjudicate.dispute_draft, name="dispute_draft"),
    path("adjudicate/<int:pk>/hold/", adjudicate.dispute_hold, name="dispute_hold"),
    path("adjudicate/<int:pk>/decide/", adjudicate.dispute_decide, name="dispute_decide"),
    path("adjudicate/<int:pk>/comment/", threads.task_comment, name="task_comment"),
    path("my-work/<int:pk>/", threads.my_thread, name="my_thread"),
    path(
        "queues/<int:pk>/guideline/<int:number>/ask-again/",
        ask_again.guideline_ask_again,
        name="guideline_ask_again",
    ),
]
api = [
    path("disputes/", api_views.disputes, name="api_disputes"),
    path("tasks/<int:pk>/dispute/", api_views.dispute, name="api_dispute"),
    path("tasks/<int:pk>/settle/", api_views.settle_task, name="api_settle"),
    path("tasks/<int:pk>/reopen/", api_views.reopen_task, name="api_reopen"),
    path("tasks/<int:pk>/send-back/", api_views.send_back_task, name="api_send_back"),
    path("tasks/<int:pk>/ask-another/", api_views.ask_another_person, name="api_ask_another"),
    path("tasks/<int:pk>/comments/", api_views.comments, name="api_comments"),
    path("queues/<int:pk>/ask-again/", api_views.ask_again, name="api_ask_again"),
]
