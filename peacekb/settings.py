"""Settings, all of them from the environment.

A fresh clone runs on SQLite with nothing set but a key, which `make run` makes. What a deployment
sets: SECRET_KEY or SECRET_KEY_FILE, SITE_URL, DATABASE_URL, and behind a proxy that ends TLS
TRUST_PROXY. The rest have sound defaults: DEBUG, PORT, ALLOWED_HOSTS, STATIC_ROOT, HSTS_SECONDS,
HSTS_SUBDOMAINS, LOG_LEVEL.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Reading the environment ---------------------------------------------------------------------

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}


def text_from(name: str, default: str = "") -> str:
    """Return the variable without surrounding space; an empty one counts as unset."""
    return os.environ.get(name, "").strip() or default


def boolean_from(name: str, *, default: bool) -> bool:
    """Return the variable as a claim; refuse a word that is neither yes nor no."""
    word = text_from(name).lower()
    if not word:
        return default
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={word!r} is neither yes nor no. Write {name}=on or {name}=off.")


def number_from(name: str, *, default: int, at_most: int) -> int:
    """Return the variable as a whole number from 0 to `at_most`."""
    word = text_from(name, str(default))
    if not (word.isascii() and word.isdecimal() and int(word) <= at_most):
        raise ImproperlyConfigured(f"{name}={word!r} is not a whole number from 0 to {at_most}.")
    return int(word)


def list_from(name: str) -> list[str]:
    """Return the parts between commas, without empty ones."""
    return [part.strip() for part in text_from(name).split(",") if part.strip()]


# --- Key -----------------------------------------------------------------------------------------

DEBUG = boolean_from("DEBUG", default=False)

HOW_TO_MAKE_A_KEY = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"


def read_secret_key() -> str:
    """Return a key that is long enough to sign sessions with, or refuse to start."""
    key, file = text_from("SECRET_KEY"), text_from("SECRET_KEY_FILE")
    if not key and file:
        try:
            key = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"SECRET_KEY_FILE={file} cannot be read: {error.strerror}.") from error
    if DEBUG:
        return key or "django-insecure-only-for-debug"
    if not key:
        raise ImproperlyConfigured(f"SECRET_KEY (or SECRET_KEY_FILE) is not set. {HOW_TO_MAKE_A_KEY}")
    # The same bounds as Django's check security.W009, but they stop the start.
    if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure"):
        raise ImproperlyConfigured(f"SECRET_KEY is too short or a known placeholder. {HOW_TO_MAKE_A_KEY}")
    return key


SECRET_KEY = read_secret_key()

# --- Address -------------------------------------------------------------------------------------

PORT = number_from("PORT", default=8000, at_most=65535)
SITE_URL = text_from("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def site_scheme_and_host(site_url: str) -> tuple[str, str]:
    """Return "https" and "kb.example.org"; refuse an address readers could not safely use."""
    example = "Write it like https://kb.example.org, without a path."
    try:
        address = urlsplit(site_url)
        host, _ = address.hostname, address.port
    except ValueError as error:
        raise ImproperlyConfigured(f"SITE_URL={site_url!r} is not an address: {error}. {example}") from error
    extra = address.path or address.query or address.fragment or address.username
    if address.scheme not in {"http", "https"} or not host or extra:
        raise ImproperlyConfigured(f"SITE_URL={site_url!r} is not the address of a site. {example}")
    host = f"[{host}]" if ":" in host else host
    if address.scheme == "http" and host not in LOOPBACK and not DEBUG:
        raise ImproperlyConfigured(
            f"SITE_URL={site_url!r} would send passwords over the network unencrypted. Put a server that "
            f"speaks TLS in front and write SITE_URL=https://{address.netloc} with TRUST_PROXY=on, "
            f"or stay on this machine with SITE_URL=http://127.0.0.1:{PORT}."
        )
    return address.scheme, host


SITE_SCHEME, SITE_HOST = site_scheme_and_host(SITE_URL)
IS_HTTPS = SITE_SCHEME == "https"

ALLOWED_HOSTS = [*(LOOPBACK if SITE_HOST in LOOPBACK else [SITE_HOST]), *list_from("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- Transport and headers -----------------------------------------------------------------------

SECURE_SSL_REDIRECT = IS_HTTPS
# Whoever watches the server asks it directly, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$"]
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_HSTS_SECONDS = number_from("HSTS_SECONDS", default=31_536_000, at_most=63_072_000) if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = boolean_from("HSTS_SUBDOMAINS", default=False)
# W005, W021: whether neighbouring hosts speak TLS, and whether a name goes on the browsers' preload
# list, is for the owner of the domain to say. Neither can be taken back quickly.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if boolean_from("TRUST_PROXY", default=False):
    # Only for a proxy that sets or removes this header itself: otherwise any reader could send it.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}

# --- Application ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "peacekb",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "taggit",
    "axes",
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
    # Last, so that it turns the answer to a locked-out sign-in into its own.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "peacekb.urls"
WSGI_APPLICATION = "peacekb.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
TAGGIT_CASE_INSENSITIVE = True
# Forms read "example.org" as https, as every Django after 5.2 does.
FORMS_URLFIELD_ASSUME_HTTPS = True

# --- Database ------------------------------------------------------------------------------------

SQLITE_OPTIONS = {
    # A transaction that reads first and writes later would be refused when another wrote meanwhile;
    # taking the write lock at the start makes it wait its turn, for `timeout` seconds at most.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: what an editor saw saved survives a power cut. cache_size is in KiB when negative.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-20000"
    ),
}


def read_database() -> dict[str, Any]:
    """Return the database that DATABASE_URL names, or the SQLite file in var/."""
    url = text_from("DATABASE_URL")
    if not url:
        folder = BASE_DIR / "var"
        folder.mkdir(mode=0o700, exist_ok=True)
        url = f"sqlite:///{folder / 'peacekb.sqlite3'}"
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as error:
        # The address itself is not shown: it may hold a password.
        raise ImproperlyConfigured(
            "DATABASE_URL is not understood. Write postgresql://user:password@host:5432/name."
        ) from error
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["OPTIONS"] = database.get("OPTIONS", {}) | SQLITE_OPTIONS
    elif database["ENGINE"] == "django.db.backends.postgresql":
        database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    else:
        raise ImproperlyConfigured(
            "DATABASE_URL names a database that search has no engine for. Write postgresql://… or sqlite:///…."
        )
    return database


DATABASES = {"default": read_database()}

# --- Signing in ----------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
# The pair is locked, not the account: a stranger cannot lock an editor out from somewhere else.
# The address is REMOTE_ADDR and never a forwarded header, which a guesser could vary at will.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Otherwise every command begins with a line about axes.
AXES_VERBOSE = False

# --- Languages, time, static files ---------------------------------------------------------------

LANGUAGE_CODE = "en"
# Languages of the interface: those that have a catalogue. The languages of content are in
# models.page.Language.
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(text_from("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
# Under DEBUG a changed file shows at the next reload, without collecting.
STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}

# --- Log -----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": text_from("LOG_LEVEL", "INFO").upper()},
    # Django's own handlers mail somebody or stay silent without DEBUG; here errors reach the console.
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
