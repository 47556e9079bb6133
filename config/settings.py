"""Settings: one file; everything that differs between installations is read from the environment, strictly.

A value that cannot be read stops the start and names its variable. `docs/operations.md` lists them all.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
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
# `make demo` says that it is one: anybody may read its inbox. Elsewhere only staff who may look at contacts.
DEMO = env.bool("POINTKEEP_DEMO", default=False)
# The inbox page shows the messages in this maildir, too, beside those that the sandbox kept.
INBOX_MAILDIR = env.str("INBOX_MAILDIR", default="")
# Where members find their pages: the link in messages.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
# Who may read the gauges at /metrics; empty: there is no such page.
METRICS_TOKEN = env.str(
    "METRICS_TOKEN", default="", validate=validate.Regexp(r"[!-~]*\Z", error="METRICS_TOKEN holds what a header cannot")
)
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
EMAIL_TIMEOUT = 8  # seconds for an answer; a call has eleven at most, and must end within a task of the clock
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="points@localhost")

# --- Transports: who carries the messages of each channel -----------------------------------------------------------

CARRIERS = ["smtp", "anymail", "solapi", "nhn", "twilio", "sandbox"]
TRANSPORTS = {
    "email": env.str("EMAIL_TRANSPORT", default="smtp", validate=validate.OneOf(["smtp", "anymail", "sandbox"])),
    "sms": env.str("SMS_TRANSPORT", default="sandbox", validate=validate.OneOf(["solapi", "nhn", "twilio", "sandbox"])),
    "alimtalk": env.str("ALIMTALK_TRANSPORT", default="sandbox", validate=validate.OneOf(["solapi", "nhn", "sandbox"])),
}
# Not empty: only these addresses are written to; what is for anybody else stays in the sandbox.
SANDBOX_ALLOW: list[str] = env.list("SANDBOX_ALLOW", default=[])
if not all("@" in address or (address[:1] == "+" and address[1:].isdecimal()) for address in SANDBOX_ALLOW):
    raise ImproperlyConfigured("SANDBOX_ALLOW holds e-mail addresses and numbers like +821012345678, with commas")
# Whether what the sandbox keeps counts as told, as in a demo: then points expire of which nobody was really told.
SANDBOX_TELLS = env.bool("SANDBOX_TELLS", default=False)
# Messages a second to a transport, of all workers together, as twilio=1,solapi=100; not named: as many as we can.
MESSAGES_A_SECOND: dict[str, float] = env.dict("MESSAGES_A_SECOND", subcast_values=float, default={})
if any(name not in CARRIERS or not 0 < rate < float("inf") for name, rate in MESSAGES_A_SECOND.items()):
    raise ImproperlyConfigured(f"MESSAGES_A_SECOND names transports ({', '.join(CARRIERS)}) with rates above 0")
PROVIDER_TIMEOUT = env.float("PROVIDER_TIMEOUT", default=8.0, validate=validate.Range(min=0.1, max=30))  # seconds


def provider(name: str, values: dict[str, str], needed: list[str], channels: list[str]) -> dict[str, str]:
    """A provider's values from `{NAME}_{VALUE}`; `values` are defaults. Those `needed` must be there if it carries any
    of `channels`."""
    read: dict[str, str] = {key: env.str(f"{name}_{key}".upper(), default=value) for key, value in values.items()}
    missing = [f"{name}_{key}".upper() for key in needed if not read[key]]
    if missing and any(TRANSPORTS[channel] == name for channel in channels):
        raise ImproperlyConfigured(f"{', '.join(missing)} must be set: {name} is the transport of a channel")
    return read


_solapi = {"api_url": "https://api.solapi.com", "webhook_header": "X-Solapi-Secret"}
_solapi |= dict.fromkeys(["api_key", "api_secret", "sender", "pf_id", "webhook_secret"], "")
SOLAPI = provider("solapi", _solapi, ["api_key", "api_secret", "sender"], ["sms", "alimtalk"])
provider("solapi", SOLAPI, ["pf_id"], ["alimtalk"])
_nhn = {
    "sms_api_url": "https://sms.api.nhncloudservice.com",
    "alimtalk_api_url": "https://kakaotalk-bizmessage.api.nhncloudservice.com",
}
_nhn |= dict.fromkeys(["sms_app_key", "sms_secret_key", "sender", "webhook_signature"], "")
_nhn |= dict.fromkeys(["alimtalk_app_key", "alimtalk_secret_key", "sender_key"], "")
NHN = provider("nhn", _nhn, ["sms_app_key", "sms_secret_key", "sender"], ["sms"])
provider("nhn", NHN, ["alimtalk_app_key", "alimtalk_secret_key", "sender_key", "sender"], ["alimtalk"])
_twilio = {"api_url": "https://api.twilio.com", "account_sid": "", "auth_token": "", "sender": ""}
TWILIO = provider("twilio", _twilio, ["account_sid", "auth_token", "sender"], ["sms"])
_anymail = {"esp": "postmark", "api_key": "", "api_url": "", "webhook_secret": ""}
ESP = provider("anymail", _anymail, ["api_key"], ["email"])
_key_of = {"postmark": "POSTMARK_SERVER_TOKEN", "brevo": "BREVO_API_KEY"}
if ESP["esp"] not in _key_of:
    raise ImproperlyConfigured(f"ANYMAIL_ESP must be one of {', '.join(_key_of)}")
ANYMAIL: dict[str, Any] = {
    _key_of[ESP["esp"]]: ESP["api_key"],
    "WEBHOOK_SECRET": ESP["webhook_secret"],  # user:password, of HTTP Basic authentication
    "REQUESTS_TIMEOUT": (5, PROVIDER_TIMEOUT),  # seconds: to connect, to read
    **({f"{ESP['esp'].upper()}_API_URL": ESP["api_url"]} if ESP["api_url"] else {}),
}

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
CELERY_TASK_TIME_LIMIT = 120  # a backstop: a tick begins nothing after 25 seconds, and the longest call has 88
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.Lines"}},  # no personal data, whoever wrote the record
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "httpx": {"level": "WARNING"},  # a line for each call is too much
        # Their own handlers print what they are given in full, and mail it to ADMINS: ours take their place. gunicorn's
        # are replaced in its workers, where requests are; its main process speaks of itself alone.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
        "gunicorn.access": {"handlers": [], "propagate": True},
        "multiprocessing": {"handlers": ["stderr"], "propagate": False},  # of Celery's pool, which cuts it off the root
    },
}
