"""Settings. Everything an operator may change is read from the environment."""

import os
from pathlib import Path

import truing
from truing.embedded import database_settings
from truing.home import home, secret_key

PACKAGE = Path(truing.__file__).resolve().parent
# In a checkout the templates stand beside `platform/`; in a wheel they travel inside the package.
TEMPLATES_FOLDER = next(
    folder
    for folder in (PACKAGE / "templates", PACKAGE.parents[1] / "templates")
    if folder.is_dir()
)


def _list(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def _number(name: str, default: int, *, least: int) -> int:
    value = os.environ.get(name) or str(default)
    if not value.isdecimal() or int(value) < least:
        raise SystemExit(f"{name} must be a whole number of at least {least}, not “{value}”.")
    return int(value)


def _flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    if value in ("", "0", "1", "yes", "no", "true", "false"):
        return value in ("1", "yes", "true") if value else default
    raise SystemExit(f"{name} must be yes or no, not “{value}”.")


# Everything that is not in the database.
TRUING_HOME = home()
FILES = TRUING_HOME / "files"
RUNS = TRUING_HOME / "runs"
GENERATIONS = TRUING_HOME / "generations"
CHECKPOINTS = TRUING_HOME / "checkpoints"
SERVED = TRUING_HOME / "served"
UPLOADS = TRUING_HOME / "uploads"

# How many processes run at a time, by backend. One that is not named here has no limit.
SLOTS: dict[str, int] = {"local": _number("TRUING_LOCAL_SLOTS", 1, least=1)}
# What a run that is cancelled may take to save its checkpoint; then it is ended.
CANCEL_GRACE_SECONDS = _number("TRUING_CANCEL_GRACE_SECONDS", 30, least=0)

# Whether base models that are names on the Hugging Face hub may be fetched from there.
ALLOW_HUB = _flag("TRUING_ALLOW_HUB", False)
# How many chats a web process answers at a time. Each takes one of its threads, of which it has 8.
CHAT_STREAMS = _number("TRUING_CHAT_STREAMS", 4, least=1)
# How many checkpoints may be served at a time: each keeps its model in memory.
SERVINGS = _number("TRUING_SERVINGS", 4, least=1)

SECRET_KEY = os.environ.get("SECRET_KEY") or secret_key()
DEBUG = _flag("TRUING_DEBUG", False)
# Listening is on 127.0.0.1 unless told otherwise, so these are the names that reach it.
ALLOWED_HOSTS = _list("TRUING_HOSTS", "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = _list("TRUING_ORIGINS", "")

# Behind a proxy that speaks HTTPS: cookies travel encrypted only, and the proxy's word counts.
HTTPS = _flag("TRUING_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_ENGINE = "truing.sessions"
AUTHENTICATION_BACKENDS = ["truing.sessions.Backend"]
SESSION_COOKIE_NAME = "truing_session"
CSRF_COOKIE_NAME = "truing_csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

ROOT_URLCONF = "truing.urls"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "template_partials",
    "truing",
    "annotation",
    "alignment",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "truing.static_files.StaticFilesMiddleware",
    "truing.security.ContentSecurityPolicyMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "truing.plain_text.PlainTextMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "truing.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "truing.pages.RefusedMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [TEMPLATES_FOLDER],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "template_partials.templatetags.partials",
                "django.templatetags.i18n",
                "truing.templatetags.language",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "truing.pages.navigation",
            ],
        },
    }
]

DATABASES = {"default": database_settings()}

AUTH_USER_MODEL = "truing.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
# Each under its own name, whatever language the page is in.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [PACKAGE / "locale"]
FORMAT_MODULE_PATH = "truing.formats"
LANGUAGE_COOKIE_NAME = "truing_language"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Served from where the files stand, under the version of what they hold: nothing has to be
# collected.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "truing.static_files.VersionedStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None

# "Task" means an annotation task everywhere in this house, so background work
# is called a job and lives in jobs.py.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "truing.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["truing.api.parser.TextParser"],
    "DEFAULT_PAGINATION_CLASS": "truing.api.paging.KeyPagination",
    "DEFAULT_SCHEMA_CLASS": "truing.api.operation.Operation",
    "EXCEPTION_HANDLER": "truing.api.errors.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Truing",
    "DESCRIPTION": "Align language models with human feedback.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # A PATCH wants what its body's shape says.
    "COMPONENT_SPLIT_PATCH": False,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("TRUING_LOG_LEVEL", "WARNING")},
}
