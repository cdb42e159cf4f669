"""The site as `make run` serves it, with the starter library in a database of its own that is thrown away."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from machine import ROOT, end, free_port, own_environment

START = 60  # seconds in which the server has to answer


class TrialSite(NamedTuple):
    """Where a site is served, the process that serves it, and the environment in which `manage.py` finds it."""

    address: str
    process: int
    environment: dict[str, str]


@contextlib.contextmanager
def trial_site(*, after_seeding: str = "", **settings: str) -> Iterator[TrialSite]:
    """Serve the starter library on a free port of this machine; nothing of it stays.

    `after_seeding` is Python for `manage.py shell`, which adds to the library what a caller needs. `settings` are
    variables of the environment.
    """
    with tempfile.TemporaryDirectory(prefix="peacekb-trial-") as folder:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        env = own_environment() | {
            "DATABASE_URL": f"sqlite:///{folder}/trial.sqlite3",
            "DJANGO_SETTINGS_MODULE": "peacekb.settings",
            "LOG_LEVEL": "ERROR",
            "PORT": str(port),
            "SECRET_KEY": secrets.token_urlsafe(64),
            "SITE_URL": address,
            "STATIC_ROOT": f"{folder}/static",
            **settings,
        }
        steps = [["migrate"], ["seed"], ["collectstatic", "--noinput"]]
        for step in steps + ([["shell", "-c", after_seeding]] if after_seeding else []):
            done = subprocess.run(
                [sys.executable, "manage.py", *step], cwd=ROOT, env=env, capture_output=True, text=True
            )
            if done.returncode:
                raise SystemExit(f"manage.py {step[0]} failed:\n{done.stdout}{done.stderr}")
        with served(env) as process:
            yield TrialSite(address, process, env)


@contextlib.contextmanager
def served(environment: dict[str, str]) -> Iterator[int]:
    """Serve the site that an environment describes, on this machine, and give the process; it ends with the block."""
    with tempfile.NamedTemporaryFile(prefix="peacekb-log-") as log:
        command = [sys.executable, "-m", "peacekb"]
        # A session of its own: Ctrl-C must not end it before those who use it have let go.
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{environment['PORT']}/readyz/", server, Path(log.name))
            yield server.pid
        finally:
            server.terminate()
            end(server, (signal.SIGKILL,), patience=30)
            # Workers outlive a server that had to be killed.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Come back when the site can serve; stop when its server has ended or takes too long."""
    until = time.monotonic() + START
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(URLError, ConnectionError), urlopen(address, timeout=5):  # noqa: S310 - our own site
            return
        time.sleep(0.1)
    raise SystemExit(f"The site did not start:\n{log.read_text()}")
