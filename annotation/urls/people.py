"""Annotators, how they work, and the rules that watch."""

from django.urls import path

from annotation.api import care as care_api
from annotation.api import people as people_api
from annotation.views import care, people, rules

pages = [
    path("annotators/", people.annotators, name="annotators"),
    path("annotators/<int:pk>/", people.annotator, name="annotator"),
    path("annotators/<int:pk>/pause/", people.annotator_pause, name="annotator_pause"),
    path("annotators/<int:pk>/resume/", people.annotator_resume, name="annotator_resume"),
    path("firings/<int:pk>/undo/", people.firing_undo, name="firing_undo"),
    path("my-work/", people.my_work, name="my_work"),
    path("my-work/care/", care.care_choice, name="care_choice"),
    path("my-work/notice/", people.notice_read, name="notice_read"),
    path("queues/<int:pk>/rules/", rules.rules, name="rules"),
    path("queues/<int:pk>/rules/<int:rule>/", rules.rule_edit, name="rule_edit"),
    path("rules/<int:pk>/remove/", rules.rule_remove, name="rule_remove"),
]
api = [
    path("care/", care_api.care, name="api_care"),
    path("annotators/", people_api.annotators, name="api_annotators"),
    path("annotators/<int:pk>/pause/", people_api.pause_annotator, name="api_pause"),
    path("annotators/<int:pk>/resume/", people_api.resume_annotator, name="api_resume"),
    path("standings/", people_api.standings, name="api_standings"),
    path("queues/<int:pk>/rules/", people_api.rules, name="api_rules"),
    path("rules/<int:pk>/", people_api.rule, name="api_rule"),
    path("firings/", people_api.firings, name="api_firings"),
    path("firings/<int:pk>/undo/", people_api.undo, name="api_firing_undo"),
]
