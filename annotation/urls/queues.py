"""Queues and what is in them."""

from django.urls import path

from annotation.api import queues as queues_api
from annotation.views import known, queues

pages = [
    path("queues/", queues.queues, name="queues"),
    path("new-queue/", queues.new_queue, name="new_queue"),
    path("queues/<int:pk>/", queues.queue, name="queue"),
    path("queues/<int:pk>/edit/", queues.queue_edit, name="queue_edit"),
    path("queues/<int:pk>/state/", queues.queue_state, name="queue_state"),
    path("queues/<int:pk>/fill/", queues.queue_fill, name="queue_fill"),
    path("queues/<int:pk>/priority/", queues.queue_priority, name="queue_priority"),
    path("tasks/<int:pk>/known/", known.known_answer, name="known_answer"),
    path("tasks/<int:pk>/known/forget/", known.known_forget, name="known_forget"),
    path("queues/<int:pk>/feedback/", queues.queue_feedback, name="queue_feedback"),
]
api = [
    path("queues/", queues_api.queues, name="api_queues"),
    path("queues/<int:pk>/", queues_api.queue, name="api_queue"),
    path("queues/<int:pk>/priority/", queues_api.priority, name="api_priority"),
    path("tasks/<int:pk>/known/", queues_api.known, name="api_known"),
    path("queues/<int:pk>/tasks/", queues_api.tasks, name="api_tasks"),
]
