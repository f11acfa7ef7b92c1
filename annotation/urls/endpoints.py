"""Endpoints: models that answer somewhere else."""

from django.urls import path

from annotation.api import endpoints as endpoints_api
from annotation.views import endpoints

pages = [
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("new-endpoint/", endpoints.new_endpoint, name="new_endpoint"),
    path("endpoints/<int:pk>/", endpoints.endpoint, name="endpoint"),
    path("endpoints/<int:pk>/check/", endpoints.endpoint_check, name="endpoint_check"),
    path("endpoints/<int:pk>/switch/", endpoints.endpoint_switch, name="endpoint_switch"),
]
api = [
    path("endpoints/", endpoints_api.endpoints, name="api_endpoints"),
    path("endpoints/<int:pk>/", endpoints_api.endpoint, name="api_endpoint"),
    path("endpoints/<int:pk>/check/", endpoints_api.check, name="api_endpoint_check"),
]
