"""The real settings, with what a test run needs; `DATABASE_URL` still chooses the database."""

import os

# A developer's own environment must not change what the tests see.
for _name in (
    "HOST",
    "SECRET_KEY_FILE",
    "ALLOWED_HOSTS",
    "TRUST_PROXY",
    "HSTS_SECONDS",
    "HSTS_SUBDOMAINS",
    "LOG_LEVEL",
):
    os.environ.pop(_name, None)
os.environ |= {
    "DEBUG": "off",
    "SECRET_KEY": "tests-sign-nothing-that-anybody-keeps-0123456789-abcdefghij",
    "SITE_URL": "http://127.0.0.1:8000",
}

from peacekb.settings import *  # noqa: E402, F403
from peacekb.settings import BASE_DIR, DATABASES, STORAGES  # noqa: E402

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Nothing is collected for tests: look files up when they are asked for, and do not miss the folder.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# `client.login()` has no request, and axes insists on one. Its own test turns it on.
AXES_ENABLED = False
# Otherwise each search of a test would be written seconds later, into the database of another one.
KEEP_SEARCHES = False

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: the threads of a live server then have a connection each, as in production.
    # The number keeps runs at the same time apart.
    DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / "var" / f"test-{os.getpid()}.sqlite3")}
    # Nobody keeps these rows, so they need not reach the disk.
    DATABASES["default"]["OPTIONS"] |= {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON"
    }
else:
    # A connection kept by a server thread would stop the test database from being dropped.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
