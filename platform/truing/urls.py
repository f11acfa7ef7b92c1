"""Every address. Pages of a project stand under /p/SLUG/, its API under /api/projects/SLUG/.

The parts are named by strings: this part stands below them and imports neither.
"""

from django.urls import include, path

from truing.api import document, events, invitations, members, people, projects, tokens
from truing.views import audit, invitation, sign_in
from truing.views import members as members_pages
from truing.views import projects as projects_pages
from truing.views import tokens as tokens_pages

handler400 = "truing.views.errors.bad_request"
handler404 = "truing.views.errors.not_found"
handler500 = "truing.views.errors.broken"

people_pages = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("password/<str:secret>/", sign_in.set_password, name="set_password"),
    path("invitation/<str:secret>/", invitation.invitation, name="invitation"),
    path("account/", sign_in.account, name="account"),
    path("account/language/", sign_in.language, name="language"),
    path("tokens/", tokens_pages.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens_pages.token_revoke, name="token_revoke"),
]

project_pages = [
    path("members/", members_pages.members, name="members"),
    path("members/<int:pk>/role/", members_pages.member_role, name="member_role"),
    path("members/<int:pk>/remove/", members_pages.member_remove, name="member_remove"),
    path(
        "members/<int:pk>/password-link/",
        members_pages.member_password_link,
        name="member_password_link",
    ),
    path("invitations/", members_pages.invitations, name="invitations"),
    path("invitations/<int:pk>/revoke/", members_pages.revoke_invitation, name="revoke_invitation"),
    path("audit/", audit.audit, name="audit"),
]

api = [
    path("", document.page, name="api"),
    path("schema/", document.schema, name="api_schema"),
    path("me/", people.me, name="api_me"),
    path("tokens/", tokens.tokens, name="api_tokens"),
    path("tokens/<int:pk>/", tokens.token, name="api_token"),
    path("projects/", projects.projects, name="api_projects"),
    path("projects/<slug:slug>/", projects.project, name="api_project"),
    path("projects/<slug:slug>/members/", members.members, name="api_members"),
    path("projects/<slug:slug>/members/<int:pk>/", members.member, name="api_member"),
    path(
        "projects/<slug:slug>/members/<int:pk>/password-link/",
        members.password_link,
        name="api_password_link",
    ),
    path("projects/<slug:slug>/invitations/", invitations.invitations, name="api_invitations"),
    path(
        "projects/<slug:slug>/invitations/<int:pk>/",
        invitations.invitation,
        name="api_invitation",
    ),
    path("projects/<slug:slug>/events/", events.events, name="api_events"),
]

urlpatterns = [
    path("", projects_pages.home, name="home"),
    path("new-project/", projects_pages.new_project, name="new_project"),
    path("", include(people_pages)),
    path("p/<slug:slug>/", include(project_pages)),
    path("api/", include(api)),
    path("", include("annotation.urls")),
    path("", include("alignment.urls")),
]
