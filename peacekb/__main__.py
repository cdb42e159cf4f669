"""Serve the site: `python -m peacekb`. Everything is set in the environment (README, "Deploy it")."""

import errno
import gc
import os
import signal
import socket
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peacekb.settings")


def refuse_busy_port(host: str, port: int) -> None:
    """Stop with the way out where another server listens; granian would share the port with it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does it: a connection that is still closing must not count as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise SystemExit(f"Port {port} is in use. Choose another one, like PORT={port + 1}.") from error
            raise SystemExit(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error


def load() -> None:
    """Load what every worker needs, once: they are forks of this process and share its memory while nobody writes it.

    Nothing here may open a connection or start a thread.
    """
    from django.template import engines
    from django.template.loader import get_template
    from django.urls import get_resolver

    from peacekb import wsgi  # noqa: F401

    get_resolver().reverse_dict  # noqa: B018  it is made when it is read
    folder = Path(engines["django"].dirs[0])
    for file in folder.rglob("*.html"):
        get_template(str(file.relative_to(folder)))
    gc.collect()
    gc.freeze()


def _end_when_told() -> None:
    """Let a worker that has not begun end at once: until it has, it would take a signal for one to its parent."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Serve until SIGTERM or SIGINT; a setting that is unsafe or misspelt ends it with one sentence."""
    try:
        # Read here first, so that it is not each worker that stops with a traceback.
        from peacekb import settings
    except ImproperlyConfigured as error:
        raise SystemExit(f"peacekb did not start: {error}") from error
    refuse_busy_port(settings.HOST, settings.PORT)
    load()
    os.register_at_fork(after_in_child=_end_when_told)
    Server(
        "peacekb.wsgi:application",
        interface=Interfaces.WSGI,
        # Loopback unless told otherwise: the open network belongs behind a server that speaks TLS.
        address=settings.HOST.strip("[]"),
        port=settings.PORT,
        workers=settings.WEB_CONCURRENCY,
        blocking_threads=settings.WEB_THREADS,
        http=HTTPModes.http1,
        # Connections that say nothing for long are closed, and so many of them shut nobody out.
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        backpressure=4096,
        websockets=False,
        working_dir=Path(__file__).resolve().parent.parent,
        respawn_failed_workers=True,
        # A request has this many seconds to finish after SIGTERM.
        workers_kill_timeout=20,
        log_level=LogLevels.warning,
        log_access=settings.ACCESS_LOG,
    ).serve()


if __name__ == "__main__":
    main()
