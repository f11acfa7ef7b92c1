"""The addresses of annotation, a file a subject: `pages` of a project, and its `api`."""

from django.urls import include, path

from annotation.urls import (
    adjudicate,
    datasets,
    desk,
    endpoints,
    imports,
    people,
    prompts,
    queues,
    skills,
)

subjects = [desk, queues, prompts, imports, datasets, endpoints, skills, adjudicate, people]

urlpatterns = [
    path("p/<slug:slug>/", include([url for subject in subjects for url in subject.pages])),
    path(
        "api/projects/<slug:slug>/", include([url for subject in subjects for url in subject.api])
    ),
]
