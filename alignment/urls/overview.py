"""A project's front page."""

from django.urls import URLPattern, path

from alignment.views import overview

pages = [path("", overview.project, name="project")]
api: list[URLPattern] = []
