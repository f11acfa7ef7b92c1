"""Prompts, and what was said about them."""

from django.urls import path

from annotation.api import answers as answers_api
from annotation.api import prompts as prompts_api
from annotation.views import answers, outputs, prompts

pages = [
    path("prompts/", prompts.prompts, name="prompts"),
    path("prompts/<int:pk>/", prompts.prompt, name="prompt"),
    path("outputs/", outputs.outputs, name="outputs"),
    path("answers/", answers.answers, name="answers"),
    path("feedback/", prompts.feedback, name="feedback"),
]
api = [
    path("prompts/", prompts_api.prompts, name="api_prompts"),
    path("prompts/<int:pk>/", prompts_api.prompt, name="api_prompt"),
    path("annotations/", answers_api.annotations, name="api_annotations"),
    path("feedback/", prompts_api.feedback, name="api_feedback"),
]
