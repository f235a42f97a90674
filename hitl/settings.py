"""All settings, from the environment. `python manage.py check --deploy` is clean when HITL_URL is an https address."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from hitl import env
from hitl.access import open_files

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("HITL_DATA_DIR") or BASE_DIR / ".hitl").resolve()
TESTING = "pytest" in sys.modules
if TESTING and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    # Tests that run side by side have a server each: sealing waits for the transactions of a whole server.
    DATA_DIR /= worker
    os.environ["HITL_DATA_DIR"] = str(DATA_DIR)

HITL_URL = os.environ.get("HITL_URL", "http://127.0.0.1:8000").rstrip("/")
HTTPS = HITL_URL.startswith("https://")
DEBUG = env.flag("HITL_DEBUG", False)
SECRET_KEY = env.secret("HITL_SECRET_KEY", DATA_DIR / "secret_key")
SECRET_KEY_FALLBACKS = env.words("HITL_SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = [urlsplit(HITL_URL).hostname or "localhost", *env.words("HITL_HOSTS")]
if not HTTPS:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_q",
    "guardian",
    "hitl",
    "queues",
    "codebook",
    "reviews",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hitl.access.middleware.Headers",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hitl.access.middleware.SessionLimits",
    "hitl.access.middleware.LocalTime",
    "hitl.access.middleware.SignInFirst",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "hitl.urls"
WSGI_APPLICATION = "hitl.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["hitl.templatetags.hitl"],
        },
    },
]

# One database, two roles: `owner` migrates, `default` is the app, which cannot touch audit rows or published versions.
EMBEDDED = not os.environ.get("DATABASE_URL")
_owner = {
    "ENGINE": "hitl.database",
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
    **(
        {"NAME": "hitl", "USER": "postgres", "HOST": "", "PORT": "", "PASSWORD": "", "OPTIONS": {}}
        if EMBEDDED
        else env.database(os.environ["DATABASE_URL"])
    ),
}
APP_ROLE = "hitl_app"
if APP_URL := os.environ.get("DATABASE_APP_URL", ""):
    _app = {**_owner, **env.database(APP_URL)}
else:
    _app = {**_owner, "OPTIONS": {**_owner["OPTIONS"], "options": f"-c role={APP_ROLE}"}}  # type: ignore[dict-item]
# Plans are made once a connection, not at every statement: two fifths of the database's time on a decision. A pooler
# that hands connections from one transaction to the next cannot do that.
if env.flag("HITL_PREPARE_STATEMENTS", True):
    _app["OPTIONS"] = {**_app["OPTIONS"], "server_side_binding": True, "prepare_threshold": 3}  # type: ignore[dict-item]
DATABASES = {
    "default": {**_app, "TEST": {"MIRROR": "owner"}},
    "owner": {**_owner, "CONN_MAX_AGE": 0},
}

AUTH_USER_MODEL = "hitl.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "hitl.access.sessions.Backend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["hitl.access.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False

# Wrong passwords in a quarter of an hour: for one person from one address, and from one address for all persons.
AXES_FAILURE_LIMIT = 8
FAILURES_PER_ADDRESS = 64
AXES_COOLOFF_TIME = 0.25
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "hitl.access.attempts.Attempts"
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "hitl.access.attempts.name_tried"
AXES_CLIENT_IP_CALLABLE = "hitl.access.attempts.address"
AXES_LOCKOUT_CALLABLE = "hitl.access.views.login.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# A session ends 12 hours after signing in, and after 2 hours in which nobody worked (hitl/access/middleware.py).
SESSION_COOKIE_AGE = env.number("HITL_SESSION_HOURS", 12) * 3600
SESSION_IDLE_SECONDS = env.number("HITL_SESSION_IDLE_MINUTES", 120) * 60
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
SESSION_ENGINE = "hitl.access.sessions"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_TRUSTED_ORIGINS = [HITL_URL] if HTTPS else []
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = env.flag("HITL_BEHIND_PROXY", False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# A request body is read by its own door, with its own limit and its own sentence; this is for forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A file of a form, which Django does not limit; a lead's upload has its own limit below this, and its own sentence.
UPLOAD_MAX_BYTES = 64 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "hitl.upload_limit.Limit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
INTAKE_MAX_BYTES = env.number("HITL_INTAKE_MAX_MB", 256) * 1024 * 1024

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_ADD_HEADERS_FUNCTION = open_files.add_headers
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG or TESTING:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if os.environ.get("HITL_SMTP_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = os.environ.get("HITL_SMTP_HOST", "")
EMAIL_PORT = env.number("HITL_SMTP_PORT", 25)
EMAIL_HOST_USER = os.environ.get("HITL_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("HITL_SMTP_PASSWORD", "")
EMAIL_USE_TLS = env.flag("HITL_SMTP_TLS", False)
DEFAULT_FROM_EMAIL = os.environ.get("HITL_MAIL_FROM", "hitl@localhost")

# save_limit 0 and bulk: trimming after each task costs more than the task; `tick` trims. retry must exceed timeout,
# or a long task runs twice.
Q_CLUSTER = {
    "name": "hitl",
    "orm": "default",
    "broker_class": "hitl.broker.SkipLocked",
    "workers": env.number("HITL_WORKERS", 2),
    "bulk": 10,
    "save_limit": 0,
    "poll": 0.2,
    "timeout": 1800,
    "retry": 2400,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "label": "hitl",
    "log_level": "WARNING",
}

# Where signed audit checkpoints are copied to, beside the database (a mounted folder of another machine is best).
AUDIT_CHECKPOINT_DIR = Path(os.environ.get("HITL_AUDIT_CHECKPOINT_DIR") or DATA_DIR / "audit")
# What names the subjects of the audit record on its screen.
AUDIT_ROOMS = ["queues.audited"]
OUTBOX_ALLOW_PRIVATE = env.flag("HITL_OUTBOX_ALLOW_PRIVATE", False)
# How the tools that get decisions want them, by kind of tool.
OUTBOX_TOOLS = {
    "langfuse": "reviews.pushing.langfuse",
    "langsmith": "reviews.pushing.langsmith",
    "phoenix": "reviews.pushing.phoenix",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"routes": {"()": "hitl.logs.Routes"}},
    "loggers": {"django.request": {"filters": ["routes"]}, "django.security.csrf": {"filters": ["routes"]}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("HITL_LOG_LEVEL", "WARNING")},
}
SILENCED_SYSTEM_CHECKS: list[str] = []
