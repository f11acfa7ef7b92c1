from django.urls import URLPattern, path

from annotation.api import chat as chat_api
from annotation.api import desk as desk_api
from annotation.views import chat, desk

pages: list[URLPattern] = [
    path("desk/", desk.desk, name="desk"),
    path("desk/waiting/", desk.waiting, name="waiting"),
    path("desk/<int:pk>/answer/", desk.answer, name="answer"),
    path("desk/<int:pk>/skip/", desk.skip_question, name="skip"),
    path("desk/<int:pk>/draft/", desk.draft, name="draft"),
    path("desk/<int:pk>/hold/", desk.hold, name="hold"),
    path("desk/preview/", desk.preview, name="preview"),
    path("desk/undo/", desk.take_back, name="take_back"),
    path("desk/<int:pk>/say/", chat.say, name="chat_say"),
    path("desk/<int:pk>/replies/", chat.replies, name="chat_replies"),
    path("desk/<int:pk>/judge/", chat.judge, name="chat_judge"),
    path("desk/<int:pk>/regenerate/", chat.regenerate, name="chat_regenerate"),
    path("desk/<int:pk>/end/", chat.end, name="chat_end"),
    path("desk/last/", desk.last_answers, name="last_answers"),
    path("desk/last/<int:pk>/", desk.correct_answer, name="correct_answer"),
    path("desk/last/<int:pk>/draft/", desk.correction_draft, name="correction_draft"),
]
api: list[URLPattern] = [
    path("next/", desk_api.next_question, name="api_next"),
    path("assignments/<int:pk>/answer/", desk_api.answer, name="api_answer"),
    path("assignments/<int:pk>/skip/", desk_api.skip_question, name="api_skip"),
    path("assignments/<int:pk>/hold/", desk_api.hold, name="api_hold"),
    path("assignments/<int:pk>/chat/", chat_api.chat, name="api_chat"),
    path("assignments/<int:pk>/say/", chat_api.say, name="api_chat_say"),
    path("assignments/<int:pk>/replies/", chat_api.replies, name="api_chat_replies"),
    path("assignments/<int:pk>/judge/", chat_api.judge, name="api_chat_judge"),
    path("assignments/<int:pk>/regenerate/", chat_api.regenerate, name="api_chat_regenerate"),
    path("assignments/<int:pk>/end/", chat_api.end, name="api_chat_end"),
    path("annotations/<int:pk>/correct/", desk_api.correct_answer, name="api_correct"),
]
