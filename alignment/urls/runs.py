"""Runs: the list, the form, one run with its curves."""

from django.urls import path

from alignment.api import runs as runs_api
from alignment.views import runs

pages = [
    path("runs/", runs.runs, name="runs"),
    path("runs/new/", runs.new_run, name="new_run"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/metrics/", runs.run_metrics, name="run_metrics"),
    path("runs/<int:pk>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:pk>/resume/", runs.resume, name="run_resume"),
]
api = [
    path("runs/", runs_api.runs, name="api_runs"),
    path("runs/<int:pk>/", runs_api.run, name="api_run"),
    path("runs/<int:pk>/metrics/", runs_api.metrics, name="api_run_metrics"),
    path("runs/<int:pk>/cancel/", runs_api.cancel_run, name="api_run_cancel"),
    path("runs/<int:pk>/resume/", runs_api.resume_run, name="api_run_resume"),
    path("methods/", runs_api.methods, name="api_methods"),
]
