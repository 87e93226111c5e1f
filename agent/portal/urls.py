"""The addresses of the house. QR codes hold theirs in upper case, so everything under /verify/ ignores case."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from agent.portal.views import certificates, health, home, hooks, reconciliation, runs, sign_in, templates, verify

app_name = "portal"
_VERIFY = "[vV][eE][rR][iI][fF][yY]"  # not (?i), which Django can't turn back into an address
_pages = [
    path("", home.home, name="home"),
    path("<int:year>/", home.year, name="year"),
    path("desk/", home.desk, name="desk"),
    path("certificates/", certificates.index, name="certificates"),
    path("certificates/<str:number>.pdf", certificates.page, name="certificate-pdf"),
    path("certificates/<str:number>.jwt", certificates.credential, name="certificate-credential"),
    path("runs/", runs.index, name="runs"),
    path("runs.csv", runs.export, name="runs-csv"),
    path("runs/<int:number>/", runs.one, name="run"),
    path("reconciliation/", reconciliation.index, name="reconciliation"),
    path("reconciliation.csv", reconciliation.export, name="reconciliation-csv"),
    path("templates/", templates.index, name="templates"),
    path("templates/upload/", templates.upload, name="template-upload"),
    path("templates/choose/", templates.choosing, name="template-choose"),
    path("templates/drafts/<int:number>/", templates.draft, name="template-draft"),
    path("templates/drafts/<int:number>/publish/", templates.publish_draft, name="template-publish"),
    path("templates/versions/<int:number>/", templates.version, name="template-version"),
    path("templates/versions/<int:number>.zip", templates.folder, name="template-folder"),
    path(
        "templates/<str:kind>/<int:number>/<str:language>-<slug:sample>.png", templates.picture, name="template-picture"
    ),
    re_path(rf"^{_VERIFY}/$", verify.form, name="verify"),
    re_path(rf"^{_VERIFY}/(?P<number>[^/]+)/(?P<token>[^/]+)/?$", verify.shown, name="verify-certificate"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    # nothing but a cookie of the reader's own is set: no token wanted, so that public pages are the same for everybody
    path("language/", csrf_exempt(set_language), name="language"),
    path("hooks/<str:source>", hooks.hook, name="hook"),
    path("healthz", health.healthz, name="healthz"),
]
urlpatterns = [path("", include((_pages, app_name)))]
