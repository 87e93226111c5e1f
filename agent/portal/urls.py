"""The addresses of the house. QR codes hold theirs in upper case, so everything under /verify/ ignores case."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from agent.portal.views import (
    approvals,
    archives,
    certificates,
    connect,
    credentials,
    health,
    home,
    hooks,
    mapping,
    quarantine,
    reconciliation,
    runs,
    sign_in,
    templates,
    transparency,
    verify,
    verify_api,
    verify_file,
)

app_name = "portal"
_VERIFY = "[vV][eE][rR][iI][fF][yY]"  # not (?i), which Django can't turn back into an address
_pages = [
    # first, for more people ask for it than for all others together
    re_path(rf"^{_VERIFY}/(?P<number>[^/]+)/(?P<token>[^/]+)/?$", verify.shown, name="verify-certificate"),
    path("", home.home, name="home"),
    path("<int:year>/", home.year, name="year"),
    path("desk/", home.desk, name="desk"),
    path("certificates/", certificates.index, name="certificates"),
    path("certificates/<str:number>.pdf", certificates.page, name="certificate-pdf"),
    path("certificates/<str:number>.jwt", certificates.credential, name="certificate-credential"),
    path("certificates/<str:number>.json", certificates.credential, {"form": "json"}, name="certificate-proven"),
    path("archives/programme-<int:number>/", archives.of_programme, name="archive-programme"),
    path("archives/programme-<int:number>.zip", archives.programme_file, name="archive-programme-file"),
    path("archives/employer/", archives.of_employer, name="archive-employer"),
    path("archives/employer.zip", archives.employer_file, name="archive-employer-file"),
    path("approvals/", approvals.index, name="approvals"),
    path("approvals/<int:number>/", approvals.one, name="approval"),
    path("approvals/<int:number>/needed/", approvals.needed, name="approval-needed"),
    path("runs/", runs.index, name="runs"),
    path("runs.csv", runs.export, name="runs-csv"),
    path("runs/<int:number>/", runs.one, name="run"),
    path("reconciliation/", reconciliation.index, name="reconciliation"),
    path("reconciliation.csv", reconciliation.export, name="reconciliation-csv"),
    path("sources/connect/", connect.index, name="connect"),
    path("sources/connect/<int:number>/", connect.one, name="connect-draft"),
    path("sources/connected/<int:number>/", connect.done, name="connected"),
    path("quarantine/", quarantine.index, name="quarantine"),
    path("quarantine/items/<int:number>/", quarantine.one, name="quarantine-item"),
    path("quarantine/try/", quarantine.trying, name="quarantine-try"),
    path("quarantine/confirm/", quarantine.confirm, name="quarantine-confirm"),
    path("quarantine/decisions/", quarantine.decisions, name="quarantine-decisions"),
    path("quarantine/decisions/<int:number>/", quarantine.undo, name="quarantine-undo"),
    path("quarantine/<str:code>/", quarantine.of_code, name="quarantine-code"),
    path("mapping/", mapping.index, name="mapping"),
    path("mapping/<int:number>/", mapping.one, name="mapping-course"),
    path("mapping/try/", mapping.trying, name="mapping-try"),
    path("mapping/confirm/", mapping.confirm, name="mapping-confirm"),
    path("mapping/links/<int:number>/withdraw/", mapping.withdraw, name="mapping-withdraw"),
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
    path("verify/file/", verify_file.upload, name="verify-file"),
    path("verify/keys.pem", verify.keys, name="verify-keys"),
    path("verify/credential/", verify.credential, name="verify-credential"),
    path("api/verify/<str:token>", verify_api.one, name="verify-api"),
    path("robots.txt", verify.robots, name="robots"),
    path("transparency/", transparency.index, name="transparency"),
    path("transparency/sth.json", transparency.head, name="transparency-head"),
    path("transparency/proof/inclusion", transparency.inclusion, name="transparency-inclusion"),
    path("transparency/proof/consistency", transparency.consistency, name="transparency-consistency"),
    path(".well-known/did.json", credentials.did_document, name="did"),
    path("did.json", credentials.did_document, name="did-of-path"),  # of a base URL with a path
    path("status/<int:number>/<str:purpose>/", credentials.status_list, name="status-list"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    # nothing but a cookie of the reader's own is set: no token wanted, so that public pages are the same for everybody
    path("language/", csrf_exempt(set_language), name="language"),
    path("hooks/<str:source>", hooks.hook, name="hook"),
    path("healthz", health.healthz, name="healthz"),
]
urlpatterns = [path("", include((_pages, app_name)))]
