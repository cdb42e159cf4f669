"""Bring the site up to date and serve it: migrate, seed, collect static files, an administrator.

Run by the Python of .venv (see Makefile). Everything happens in one process, which then becomes the
server: starting Django once a step would take most of the time of a second run.
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"


def say(text: str) -> None:
    print(text, flush=True)


def read_port() -> int:
    word = os.environ.get("PORT") or "8000"
    if not (word.isascii() and word.isdecimal() and 1 <= int(word) <= 65535):
        raise SystemExit(f"PORT={word} is not a port. Choose a number from 1 to 65535, like PORT=8001.")
    return int(word)


def fingerprint(paths: Iterable[Path], *also: object) -> str:
    """Return a hash over names and contents of files, and of files in folders."""
    total = hashlib.sha256(repr(also).encode())
    for path in paths:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            if file.suffix != ".pyc" and file.exists():
                total.update(f"{file}\0{file.stat().st_size}\0".encode())
                total.update(file.read_bytes())
    return total.hexdigest()


def migrate() -> None:
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    say("Preparing the database …")
    call_command("migrate", interactive=False, verbosity=0)
    if apps.get_model("peacekb", "Page")._default_manager.exists():
        # What is derived from the texts may have a new form.
        call_command("rebuild")


def seed() -> None:
    """Load the fixtures when they, the code or the database are new."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    stamp = VAR / "seed.stamp"
    now = fingerprint(
        [ROOT / "fixtures", ROOT / "peacekb", ROOT / "requirements.lock"],
        settings.DATABASES["default"]["NAME"],
    )
    known = stamp.exists() and stamp.read_text() == now
    # The stamp outlives a database that somebody threw away.
    if known and apps.get_model("peacekb", "Page")._default_manager.exists():
        return
    say("Loading the fixtures …")
    call_command("seed")
    stamp.write_text(now)


def collect_static() -> None:
    from django.conf import settings
    from django.core.management import call_command

    stamp = VAR / "static.stamp"
    # Packages bring static files too; their versions stand in the lock.
    now = fingerprint(
        [ROOT / "static", ROOT / "peacekb" / "settings.py", ROOT / "requirements.lock"], settings.STATIC_ROOT
    )
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text() == now:
        return
    say("Collecting static files …")
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(now)


def prepare(*, dev: bool) -> str:
    """Do every step and return the address of the site."""
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        migrate()
        seed()
        if not dev:
            collect_static()
        call_command("ensure_admin")
    except (ImproperlyConfigured, CommandError) as error:
        raise SystemExit(f"peacekb did not start: {error}") from error
    address: str = settings.SITE_URL
    return address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="DEBUG, and a server that reloads changed code")
    dev = parser.parse_args().dev

    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peacekb.settings")
    if not os.environ.get("SECRET_KEY") and not os.environ.get("SECRET_KEY_FILE"):
        os.environ["SECRET_KEY_FILE"] = str(VAR / "secret_key")
    if dev:
        os.environ["DEBUG"] = "on"
    # Before any work: the server could not listen afterwards.
    from peacekb.__main__ import refuse_busy_port

    host, port = os.environ.get("HOST") or "127.0.0.1", read_port()
    refuse_busy_port(host, port)

    address = prepare(dev=dev)
    say(f"\n  Site       {address}/")
    say(f"  Admin      {address}/admin/   (new password: .venv/bin/python manage.py changepassword NAME)")
    say("  Stop with Ctrl-C.\n")

    # exec: signals then reach the server itself, and nothing stays behind when it is stopped.
    serve = [str(ROOT / "manage.py"), "runserver", f"{host}:{port}"] if dev else ["-m", "peacekb"]
    os.execv(sys.executable, [sys.executable, *serve])


if __name__ == "__main__":
    main()
