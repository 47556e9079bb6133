"""Settings: one file; everything that differs between installations is read from the environment, strictly.

A value that cannot be read stops the start and names its variable. `docs/operations.md` lists them all.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, validate

env = Env()


def key_of_32_bytes(variable: str, text: str) -> bytes:
    """A key from its base64. Raises ImproperlyConfigured, which names the variable and never what it holds."""
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32 or b64encode(key).decode() != text:
        raise ImproperlyConfigured(f"{variable} must be 32 bytes in base64, as `openssl rand -base64 32` prints them")
    return key


BASE_DIR = Path(__file__).resolve().parent.parent

# --- What an installation sets ---------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="")  # Django refuses to sign anything with an empty one
# The private Ed25519 key that signs the seals; without one none is made, and whoever asks for one is told.
SEAL_KEY = key_of_32_bytes("SEAL_KEY", env.str("SEAL_KEY")) if env.str("SEAL_KEY", default="") else b""
# The public keys of retired ones, so that old seals still verify.
_retired: list[str] = env.list("SEAL_PUBLIC_KEYS", default=[])
SEAL_PUBLIC_KEYS = [key_of_32_bytes("SEAL_PUBLIC_KEYS", text) for text in _retired]
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
DATABASE_URL = env.str("DATABASE_URL", default="postgresql:///pointkeep")
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
# Behind a proxy that speaks TLS: cookies only over https, redirects, HSTS.
HTTPS = env.bool("HTTPS", default=False)
# The demo's inbox page shows the messages in this maildir; empty: there is no such page.
INBOX_MAILDIR = env.str("INBOX_MAILDIR", default="")
# Where members find their pages: the link in messages.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))

# --- Django ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "ledger",
    "alerts",
    "portal",
    "demo",
    "hammer",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.dj_db_url("DATABASE_URL", default=DATABASE_URL, conn_max_age=60, conn_health_checks=True),
    }
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL server: postgresql://user:password@host/name")
# Nobody waits for an account for longer than two seconds: the act is refused as busy and can be tried again.
# What is prepared is the ledger's few statements (`ledger/wire.py`), always the same: never by count, as psycopg would,
# and their plans, like those of the triggers, are made once for a connection. They must serve a table that is empty now
# and large in an hour, so they follow indexes: reading a whole table, which is cheapest while it is small, is the last
# resort. Disks have no arms any more: a page elsewhere costs what the next does.
DATABASES["default"].setdefault("OPTIONS", {}).update(
    options="-c lock_timeout=2000 -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c random_page_cost=1.1",
    prepare_threshold=1_000_000,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "portal:sign-in"
LOGIN_REDIRECT_URL = "portal:balance"
LOGOUT_REDIRECT_URL = "portal:sign-in"

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en", validate=validate.OneOf(["ko", "en"]))
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True  # an installation that has not run collectstatic still shows its pages right

# --- Security ----------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # asked from inside, past the proxy that speaks TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- E-mail, API, Celery, logs -----------------------------------------------------------------------------------

_email = env.dj_email_url("EMAIL_URL", default="smtp://localhost:25")
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _email["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _email["EMAIL_USE_SSL"]
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_TIMEOUT = 10  # seconds; the lease of a delivery is much longer
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="points@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "config.api.exception_handler",
}


def broker_url(redis_url: str) -> str:
    """The form of REDIS_URL that Celery wants: unix:///path?db=0 becomes redis+socket:///path?virtual_host=0."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": env.str("REDIS_PREFIX", default="pointkeep:"),
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 120  # a backstop: every tick is bounded well below it
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
