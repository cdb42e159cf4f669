"""Settings, all of them from the environment.

A fresh clone runs on SQLite with nothing set but a key, which `make run` makes. What a deployment
sets: SECRET_KEY or SECRET_KEY_FILE, SITE_URL, DATABASE_URL, and behind a proxy that ends TLS
TRUST_PROXY. The rest have sound defaults: DEBUG, HOST, PORT, ALLOWED_HOSTS, STATIC_ROOT,
HSTS_SECONDS, HSTS_SUBDOMAINS, LOG_LEVEL, ACCESS_LOG, WEB_CONCURRENCY, WEB_THREADS. What would be unsafe
stops the start.
"""

import ipaddress
import logging
import os
import re
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
        except UnicodeDecodeError as error:
            raise ImproperlyConfigured(f"SECRET_KEY_FILE={file} holds no text. {HOW_TO_MAKE_A_KEY}") from error
    if DEBUG:
        return key or "django-insecure-only-for-debug"
    if not key:
        raise ImproperlyConfigured(f"SECRET_KEY (or SECRET_KEY_FILE) is not set. {HOW_TO_MAKE_A_KEY}")
    if len(key) < 50 or key.startswith("django-insecure"):
        raise ImproperlyConfigured(f"SECRET_KEY is too short or a known placeholder. {HOW_TO_MAKE_A_KEY}")
    # A random key of hexadecimal digits, the smallest alphabet in use, has 12 different ones all but surely.
    if len(set(key)) < 12:
        raise ImproperlyConfigured(f"SECRET_KEY repeats a few characters and can be guessed. {HOW_TO_MAKE_A_KEY}")
    return key


SECRET_KEY = read_secret_key()

# --- Address -------------------------------------------------------------------------------------

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
_HOST_NAME = re.compile(r"(?!.{254})(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

HOST = text_from("HOST", "127.0.0.1")
PORT = number_from("PORT", default=8000, at_most=65535)
# Processes that serve, at least one, and threads in each, at least two: half of them may wait for what is sent.
WEB_CONCURRENCY = number_from("WEB_CONCURRENCY", default=2, at_most=64)
WEB_THREADS = max(2, number_from("WEB_THREADS", default=4, at_most=64))
ACCESS_LOG = boolean_from("ACCESS_LOG", default=False)
# What readers search is counted for editors, without a person; off, nothing of it is.
KEEP_SEARCHES = boolean_from("KEEP_SEARCHES", default=True)
SITE_URL = text_from("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/").lower()


def is_host(name: str) -> bool:
    """Tell whether this is a host name or an IP address, with brackets around one that has colons."""
    if not name.startswith("["):
        return _HOST_NAME.fullmatch(name) is not None
    try:
        return name == f"[{ipaddress.IPv6Address(name[1:-1]).compressed}]"
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without brackets, can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def site_scheme_and_host(site_url: str) -> tuple[str, str]:
    """Return "https" and "kb.example.org"; refuse an address readers could not safely use."""
    example = "Write it like https://kb.example.org, without a path."
    if "@" in site_url:
        raise ImproperlyConfigured(f"SITE_URL holds a user name or a password, and every reader sees it. {example}")
    try:
        address = urlsplit(site_url)
        host, port = address.hostname or "", address.port
    except ValueError as error:
        raise ImproperlyConfigured(f"SITE_URL={site_url!r} is not an address: {error}. {example}") from error
    host = f"[{host}]" if ":" in host else host
    plain = f"{address.scheme}://{host}" + ("" if port is None else f":{port}")
    if address.scheme not in {"http", "https"} or not is_host(host) or site_url != plain:
        raise ImproperlyConfigured(f"SITE_URL={site_url!r} is not the address of a site. {example}")
    return address.scheme, host


def refuse_an_open_line() -> None:
    """Refuse to send passwords unencrypted, or a debugger's pages at all, to other machines."""
    if not is_host(HOST.lower()):
        raise ImproperlyConfigured(
            f"HOST={HOST!r} is no address to listen on. Write HOST=127.0.0.1, or HOST=[::1] with its brackets."
        )
    way_out = (
        "Put a server that speaks TLS in front and write SITE_URL=https://kb.example.org with TRUST_PROXY=on, "
        f"or stay on this machine with SITE_URL=http://127.0.0.1:{PORT} and without HOST."
    )
    if DEBUG and not (is_loopback(SITE_HOST) and is_loopback(HOST)):
        raise ImproperlyConfigured(
            f"DEBUG=on shows readers of SITE_URL={SITE_URL!r} on HOST={HOST!r} what a fault lays open. "
            "Write DEBUG=off, or stay on this machine with both."
        )
    if IS_HTTPS:
        return
    if SITE_HOST not in LOOPBACK:
        raise ImproperlyConfigured(
            f"SITE_URL={SITE_URL!r} would send passwords over the network unencrypted. {way_out}"
        )
    if not is_loopback(HOST):
        raise ImproperlyConfigured(
            f"HOST={HOST!r} lets other machines in, and with SITE_URL={SITE_URL!r} passwords would cross the network "
            f"unencrypted. {way_out}"
        )


def read_allowed_hosts() -> list[str]:
    """Return the names under which the site answers: that of SITE_URL, and those in ALLOWED_HOSTS."""
    more = [name.lower() for name in list_from("ALLOWED_HOSTS")]
    for name in more:
        # A leading dot stands for every name below a domain; below a top-level one, anybody can have a name.
        parent = name.removeprefix(".")
        if not is_host(parent) or (name != parent and "." not in parent):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS holds {name!r}, which is not the name of a host. "
                "Write names with commas between them, such as kb.example.org,www.example.org."
            )
    return [*(LOOPBACK if SITE_HOST in LOOPBACK else [SITE_HOST]), *more]


SITE_SCHEME, SITE_HOST = site_scheme_and_host(SITE_URL)
IS_HTTPS = SITE_SCHEME == "https"
refuse_an_open_line()
ALLOWED_HOSTS = read_allowed_hosts()
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- Transport and headers -----------------------------------------------------------------------

SECURE_SSL_REDIRECT = IS_HTTPS
# A reader is sent to the site, whatever Host was written: a foreign one is refused further in, with all headers.
SECURE_SSL_HOST = urlsplit(SITE_URL).netloc
# Whoever watches the server asks it directly, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$"]
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
if IS_HTTPS:
    # With this prefix, browsers take the cookie from this host alone, not from a neighbour below the domain.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
SECURE_HSTS_SECONDS = number_from("HSTS_SECONDS", default=31_536_000, at_most=63_072_000) if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = boolean_from("HSTS_SUBDOMAINS", default=False)
# W005, W021: whether neighbouring hosts speak TLS, and whether a name goes on the browsers' preload
# list, is for the owner of the domain to say. Neither can be taken back quickly.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
TRUST_PROXY = boolean_from("TRUST_PROXY", default=False)
if TRUST_PROXY:
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
    "django.contrib.sitemaps",
    "taggit",
    "axes",
    "csp",
]
MIDDLEWARE = [
    # First what sets headers: a file, a redirect and a refusal carry them too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "peacekb.languages.LanguageOfAddress",
    "peacekb.pages.display.differs_by_cookie",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
                "peacekb.pages.display.in_templates",
            ],
        },
    },
]
TAGGIT_CASE_INSENSITIVE = True
# A page with 150 names sends some 1,400 fields, and the page that asks before names change those of its sentences too.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000
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


def refuse_a_database_in_the_open(database: dict[str, Any]) -> None:
    """Refuse a PostgreSQL server on another machine, unless it is said whether the line is encrypted.

    What the driver does by itself, `prefer`, goes on without encryption where the server offers none.
    """
    options = database.get("OPTIONS", {})
    hosts = f"{options.get('hostaddr') or options.get('host') or database['HOST'] or os.environ.get('PGHOST', '')}"
    remote = [host for host in hosts.split(",") if host and not host.startswith("/") and not is_loopback(host)]
    # The servers that these name cannot be seen from here.
    remote += [f"the server of {name}" for name in ("PGSERVICE", "PGHOSTADDR") if os.environ.get(name)]
    remote += ["the server of its service"] if options.get("service") else []
    mode = options.get("sslmode") or os.environ.get("PGSSLMODE")
    if remote and mode not in {"require", "verify-ca", "verify-full", "disable"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL may reach {remote[0]} unencrypted. Append ?sslmode=require (or verify-full, which also asks "
            "for the server's certificate), or ?sslmode=disable where nobody else is on the line."
        )


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
        refuse_a_database_in_the_open(database)
        database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
        # A server that does not answer is told to readers, and not waited for (in seconds).
        database["OPTIONS"] = {"connect_timeout": 5} | database.get("OPTIONS", {})
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
# Where to when the address names no page, or one of another site.
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "admin:login"
# The pair is locked, not the account: a stranger cannot lock an editor out from somewhere else.
# SignInGuard also locks an address that fails under many names.
AXES_HANDLER = "peacekb.sign_in.SignInGuard"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "peacekb.sign_in.client_address"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Who is locked out is no longer counted: the lock ends in time, and a flood of guesses fills no table.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ALLOWED_CORS_ORIGINS = SITE_URL
# Otherwise every command begins with a line about axes.
AXES_VERBOSE = False

# --- Languages, time, static files ---------------------------------------------------------------

LANGUAGE_CODE = "en"
# Languages of the interface: those that have a catalogue. The languages of content are in
# models.page.Language.
LANGUAGES = [("en", "English"), ("fr", "Français"), ("ar", "العربية")]
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
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}

# --- Log -----------------------------------------------------------------------------------------


def read_log_level() -> str:
    """Return a level that the log knows."""
    level = text_from("LOG_LEVEL", "INFO").upper()
    known = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    if level not in known:
        raise ImproperlyConfigured(f"LOG_LEVEL={level!r} is not a level. Write one of {', '.join(known)}.")
    return level


def in_one_line(record: logging.LogRecord) -> bool:
    """Take the traceback from an answer that is no fault of the code: a refused request (4xx), whose line says what was
    wrong, and a database that is away (503), whose own words join the line."""
    status = getattr(record, "status_code", 500)
    if status == 503 and record.exc_info:
        words = " ".join(str(record.exc_info[1]).split())
        record.msg, record.args = f"{record.getMessage()} ({words})", ()
    if status != 500:
        record.exc_info = None
    return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"in_one_line": {"()": "django.utils.log.CallbackFilter", "callback": in_one_line}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["in_one_line"]}},
    "root": {"handlers": ["console"], "level": read_log_level()},
    # Django's own handlers mail somebody or stay silent without DEBUG; here errors reach the console.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
