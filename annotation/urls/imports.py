"""Files that come in."""

from django.urls import path

from annotation.api import imports as imports_api
from annotation.views import imports

pages = [
    path("imports/", imports.imports, name="imports"),
    path("imports/<int:pk>/", imports.import_page, name="import"),
    path("imports/<int:pk>/start/", imports.import_start, name="import_start"),
    path("imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("imports/<int:pk>/refused/", imports.import_refusals, name="import_refusals"),
]
api = [
    path("imports/", imports_api.imports, name="api_imports"),
    path("imports/<int:pk>/", imports_api.import_detail, name="api_import"),
]
