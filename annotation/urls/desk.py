from django.urls import URLPattern, path

from annotation.api import desk as desk_api
from annotation.views import desk

pages: list[URLPattern] = [
    path("desk/", desk.desk, name="desk"),
    path("desk/<int:pk>/answer/", desk.answer, name="answer"),
    path("desk/<int:pk>/skip/", desk.skip_question, name="skip"),
    path("desk/<int:pk>/draft/", desk.draft, name="draft"),
    path("desk/<int:pk>/hold/", desk.hold, name="hold"),
    path("desk/preview/", desk.preview, name="preview"),
    path("desk/undo/", desk.take_back, name="take_back"),
    path("desk/last/", desk.last_answers, name="last_answers"),
    path("desk/last/<int:pk>/", desk.correct_answer, name="correct_answer"),
]
api: list[URLPattern] = [
    path("next/", desk_api.next_question, name="api_next"),
    path("assignments/<int:pk>/answer/", desk_api.answer, name="api_answer"),
    path("assignments/<int:pk>/skip/", desk_api.skip_question, name="api_skip"),
    path("assignments/<int:pk>/hold/", desk_api.hold, name="api_hold"),
    path("annotations/<int:pk>/correct/", desk_api.correct_answer, name="api_correct"),
]
