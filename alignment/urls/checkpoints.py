"""Checkpoints and what they generate."""

from django.urls import path

from alignment.api import checkpoints as checkpoints_api
from alignment.views import checkpoints

pages = [
    path("checkpoints/", checkpoints.checkpoints, name="checkpoints"),
    path("checkpoints/add/", checkpoints.add_checkpoint, name="checkpoint_add"),
    path("checkpoints/<int:pk>/", checkpoints.checkpoint, name="checkpoint"),
    path(
        "checkpoints/<int:pk>/download/",
        checkpoints.checkpoint_download,
        name="checkpoint_download",
    ),
    path("checkpoints/<int:pk>/generate/", checkpoints.generate, name="checkpoint_generate"),
    path("checkpoints/<int:pk>/review/", checkpoints.checkpoint_review, name="checkpoint_review"),
    path(
        "checkpoints/<int:pk>/promote/", checkpoints.checkpoint_promote, name="checkpoint_promote"
    ),
    path("checkpoints/<int:pk>/serve/", checkpoints.checkpoint_serve, name="checkpoint_serve"),
    path("checkpoints/<int:pk>/stop/", checkpoints.checkpoint_stop, name="checkpoint_stop"),
    path("generations/<int:pk>/cancel/", checkpoints.generation_cancel, name="generation_cancel"),
]
api = [
    path("checkpoints/", checkpoints_api.checkpoints, name="api_checkpoints"),
    path("checkpoints/<int:pk>/", checkpoints_api.checkpoint, name="api_checkpoint"),
    path(
        "checkpoints/<int:pk>/generate/",
        checkpoints_api.generate_outputs,
        name="api_checkpoint_generate",
    ),
    path(
        "checkpoints/<int:pk>/promote/",
        checkpoints_api.promote_checkpoint,
        name="api_checkpoint_promote",
    ),
    path(
        "checkpoints/<int:pk>/serve/",
        checkpoints_api.serve_checkpoint,
        name="api_checkpoint_serve",
    ),
    path("checkpoints/<int:pk>/stop/", checkpoints_api.stop_checkpoint, name="api_checkpoint_stop"),
    path("servings/", checkpoints_api.servings, name="api_servings"),
    path("promotions/", checkpoints_api.promotions, name="api_promotions"),
    path("generations/", checkpoints_api.generations, name="api_generations"),
    path("generations/<int:pk>/", checkpoints_api.generation, name="api_generation"),
    path(
        "generations/<int:pk>/cancel/",
        checkpoints_api.cancel_generation,
        name="api_generation_cancel",
    ),
]
