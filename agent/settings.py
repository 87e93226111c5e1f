"""Django's settings. Everything that differs between installations is an environment variable, explained here.

================================  ==========================================================================
``XUESHI_HOME``                   folder for keys, the private database and its log (default ``./var``)
``DATABASE_URL``                  ``postgresql://…``; without it a private PostgreSQL runs under the home
``XUESHI_DATA_KEY``               32 bytes in base64; without it ``data.key`` under the home, made once
``XUESHI_SECRET_KEY``             Django's secret; without it one is derived from the data key
``XUESHI_BASE_URL``               public address, part of every QR code (default ``http://127.0.0.1:8000``)
``XUESHI_HOSTS``                  host names that are answered, by commas (default: that of the base URL, loopback)
``XUESHI_CLIENT_HEADER``          header in which the proxy in front says who asks, ``X-Real-IP`` or ``X-Forwarded-For``
                                  (default: none; only set it where every request comes through that proxy)
``XUESHI_SIGNING_P12``            PKCS#12 with the signing key, replaces the one made on first use
``XUESHI_SIGNING_P12_PASSWORD``   its password
``XUESHI_TSA_URL``                time-stamp authority (RFC 3161): pages are signed PAdES B-T instead of B-B
``XUESHI_TSA_CA``                 PEM file: who must vouch for the authority
``XUESHI_TSA_WHEN_DOWN``          ``wait`` (default: no page until it answers) or ``without`` (B-B meanwhile)
``XUESHI_PKCS11_MODULE``          library (.so) of a PKCS#11 token that signs instead: no key is in a file then
``XUESHI_PKCS11_TOKEN``           the token's label
``XUESHI_PKCS11_KEY``             the key's label on it (default ``xueshi``)
``XUESHI_PKCS11_PIN``             the user's PIN
``XUESHI_SM2_KEY``                SM2 private key (PEM) for detached signatures by SM2 with SM3
``XUESHI_ISSUER``                 ``web`` or ``key``: issuer as did:web (default with https) or did:key (offline)
``XUESHI_MAPPINGS``               a folder of policies that replaces the shipped one
``XUESHI_FONTS``                  a folder of fonts for characters beyond Noto's (default: Debian's fonts-hanazono)
``XUESHI_MAIL``                   mail server: ``smtp://host:25``, ``smtp+tls://user:password@host:587`` or
                                  ``smtps://user:password@host:465``; without it letters go to the worker's output
``XUESHI_MAIL_FROM``              who letters come from (default ``xueshi@`` and the base URL's host)
``XUESHI_NOTICE_WEBHOOK``         address that is told what happens to certificates, too
``XUESHI_NOTICE_SECRET``          secret that this is signed with (HMAC-SHA256, as pushes are)
``XUESHI_OIDC_ISSUER``            sign-in by an OpenID provider, too: its issuer (https://…)
``XUESHI_OIDC_CLIENT``            the client id that it knows us by; it sends people back to ``…/sign-in/oidc/back/``
``XUESHI_OIDC_SECRET``            the client's secret
``XUESHI_AUDIT_MONTHS``           how many months the audit log is kept, 6 at least (default 36; `xueshi audit prune`)
``XUESHI_FILING_NUMBER``          pattern of filing numbers (default ``枣人社备〔{year}〕{sequence:03d}号``)
``XUESHI_FILING_LEAD_DAYS``       working days that a filing comes before the first day (default 10)
``XUESHI_FILING_DECIDE_DAYS``     working days in which the bureau decides (default 5)
``XUESHI_SCANNER``                virus scanner for attachments: a command that gets the file's path as its last
                                  argument and the file on standard input; 0: clean, 1: refused, else: no
                                  verdict (default: none)
================================  ==========================================================================
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.db.url import settings_of

BASE_URL = (os.environ.get("XUESHI_BASE_URL") or "http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(BASE_URL)
_secure = _public.scheme == "https"
# did:web is resolved over https; what can't be reached that way speaks as its own key
ISSUER = os.environ.get("XUESHI_ISSUER") or ("web" if _secure else "key")
CLIENT_HEADER = os.environ.get("XUESHI_CLIENT_HEADER") or ""
# Names and addresses inside of the own network, separated by commas, at which people may connect a platform by the
# console. Everywhere else inside of it the console asks nobody (an administrator decides it for each source).
PRIVATE_HOSTS = {h.strip().casefold() for h in (os.environ.get("XUESHI_PRIVATE_HOSTS") or "").split(",") if h.strip()}
FILING_NUMBER = os.environ.get("XUESHI_FILING_NUMBER") or "枣人社备〔{year}〕{sequence:03d}号"
FILING_LEAD_DAYS = int(os.environ.get("XUESHI_FILING_LEAD_DAYS") or 10)
FILING_DECIDE_DAYS = int(os.environ.get("XUESHI_FILING_DECIDE_DAYS") or 5)
SCANNER = os.environ.get("XUESHI_SCANNER") or ""

PUBLIC_HOST = _public.hostname or "localhost"
_mail = urlsplit(os.environ.get("XUESHI_MAIL") or "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _mail.scheme else 'console'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+tls", _mail.scheme == "smtps"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("XUESHI_MAIL_FROM") or f"xueshi@{PUBLIC_HOST}"

# `agent.boot` sets both before Django starts; what is here serves tools that only look at models (mypy, makemigrations)
SECRET_KEY = os.environ.get("XUESHI_SECRET_KEY") or "not-for-serving: agent.boot derives the real one"
DATABASES = {"default": settings_of(os.environ.get("DATABASE_URL") or "postgresql:///xueshi")}

DEBUG = False
ALLOWED_HOSTS = [
    h for h in (os.environ.get("XUESHI_HOSTS") or f"{_public.hostname},127.0.0.1,localhost,[::1]").split(",") if h
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "agent.changes",
    "agent.organisations",
    "agent.audit",
    "agent.people",
    "agent.quarantine",
    "agent.learners",
    "agent.intake",
    "agent.programmes",
    "agent.matching",
    "agent.lti",
    "agent.asking",
    "agent.credit",
    "agent.certificates",
    "agent.papers",
    "agent.mapping",
    "agent.reconciliation",
    "agent.figures",
    "agent.work",
    "agent.portal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "agent.portal.middleware.headers",
]
ROOT_URLCONF = "agent.portal.urls"
WSGI_APPLICATION = "agent.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "portal:sign-in"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "portal:sign-in"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).parent / "portal" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
# served straight from the packages: nothing to collect, nothing to forget
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _secure
CSRF_COOKIE_SECURE = _secure
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _secure else 0
X_FRAME_OPTIONS = "DENY"
# our own handlers write errors; Django's would put request data into them
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "agent.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "ERROR"}},
}
