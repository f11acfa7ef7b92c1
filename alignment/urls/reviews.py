"""Reviews and the decision about them."""

from django.urls import path

from alignment.api import reviews as reviews_api
from alignment.views import reviews

pages = [
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<int:pk>/", reviews.review, name="review"),
    path("reviews/<int:pk>/finish/", reviews.review_finish, name="review_finish"),
    path("reviews/<int:pk>/promote/", reviews.review_promote, name="review_promote"),
    path("reviews/<int:pk>/reject/", reviews.review_reject, name="review_reject"),
]
api = [
    path("reviews/", reviews_api.reviews, name="api_reviews"),
    path("reviews/<int:pk>/", reviews_api.review, name="api_review"),
    path("reviews/<int:pk>/finish/", reviews_api.finish_review, name="api_review_finish"),
    path("reviews/<int:pk>/reject/", reviews_api.reject_candidate, name="api_review_reject"),
]
