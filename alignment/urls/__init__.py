"""The addresses of alignment, a file a subject: `pages` of a project, and its `api`."""

from django.urls import include, path

from alignment.urls import checkpoints, overview, reviews, runs

subjects = [overview, runs, checkpoints, reviews]

urlpatterns = [
    path("p/<slug:slug>/", include([url for subject in subjects for url in subject.pages])),
    path(
        "api/projects/<slug:slug>/", include([url for subject in subjects for url in subject.api])
    ),
]
