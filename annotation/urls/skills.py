"""Skills, and questions that nobody can answer."""

from django.urls import path

from annotation.api import skills as skills_api
from annotation.views import flags, skills

pages = [
    path("skills/", skills.skills, name="skills"),
    path("skills/file/", skills.skills_file, name="skills_file"),
    path("skills/<int:pk>/take/", skills.skill_take, name="skill_take"),
    path("flags/", flags.flags, name="flags"),
    path("flags/<int:pk>/", flags.flag_decide, name="flag_decide"),
]
api = [
    path("skills/", skills_api.skills, name="api_skills"),
    path("skills/<int:pk>/", skills_api.skill, name="api_skill"),
    path("flags/", skills_api.flags, name="api_flags"),
    path("flags/<int:pk>/", skills_api.flag_decision, name="api_flag"),
]
