"""Agreement, datasets and their versions."""

from django.urls import path

from annotation.api import agreement as agreement_api
from annotation.api import datasets as datasets_api
from annotation.api import leaderboard as leaderboard_api
from annotation.views import agreement, datasets, downloads, leaderboard

VERSION = "datasets/<slug:name>/<int:number>/"

pages = [
    path("agreement/", agreement.agreement, name="agreement"),
    path("leaderboard/", leaderboard.leaderboard, name="leaderboard"),
    path("datasets/", datasets.datasets, name="datasets"),
    path("new-dataset/", datasets.new_dataset, name="new_dataset"),
    path("datasets/<slug:name>/", datasets.dataset, name="dataset"),
    path("datasets/<slug:name>/freeze/", datasets.freeze_again, name="freeze_again"),
    path(VERSION, datasets.version, name="version"),
    path(
        f"{VERSION}rows/<slug:split>/<int:row>/votes/", datasets.row_votes, name="version_row_votes"
    ),
    path(
        f"{VERSION}download/<slug:format>/<slug:split>/",
        downloads.download,
        name="version_download",
    ),
    path(f"{VERSION}lengths/", downloads.lengths, name="version_lengths"),
    path(f"{VERSION}files/<slug:file>/", downloads.download_file, name="version_file"),
]
api = [
    path("agreement/", agreement_api.agreement, name="api_agreement"),
    path("leaderboard/", leaderboard_api.leaderboard, name="api_leaderboard"),
    path("datasets/", datasets_api.datasets, name="api_datasets"),
    path("dataset-preview/", datasets_api.dataset_preview, name="api_dataset_preview"),
    path("datasets/<slug:name>/", datasets_api.versions, name="api_dataset"),
    path(VERSION, datasets_api.version, name="api_version"),
    path(
        f"{VERSION}rows/<slug:written_as>/<slug:split>/",
        datasets_api.rows,
        name="api_version_rows",
    ),
]
