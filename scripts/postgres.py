"""A PostgreSQL to work on: the one of this machine, or one of our own on loopback that ends with its block."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from machine import apt_install, end, free_port

OLDEST_POSTGRES = 140000  # the oldest that Django 5.2 works with
# Nobody keeps these rows, so nothing waits for a disk.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def postgres_binaries() -> Path | None:
    """Return the folder with initdb and postgres: on PATH, else the newest in Debian's places."""
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    on_path = shutil.which("initdb")
    for folder in [*([Path(on_path).parent] if on_path else []), *versioned]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def need_binaries() -> Path:
    """Return the same folder, installed if need be, or stop with the way out."""
    found = postgres_binaries() or (apt_install("postgresql") and postgres_binaries())
    if not found:
        raise SystemExit(
            "This needs PostgreSQL 14 or newer. Install it (on Debian: apt-get install postgresql; it need not run), "
            "or, for the tests, name a server with TEST_POSTGRES_URL=postgresql://user:password@host/name."
        )
    return found


@dataclass(frozen=True)
class Server:
    url: str
    version: int

    @property
    def name(self) -> str:
        return f"PostgreSQL {self.version // 10000}"


def ask(conninfo: str = "", **address: Any) -> tuple[int, bool] | None:
    """Return version and whether we may create databases, or None if we are not let in."""
    import psycopg

    try:
        with psycopg.connect(conninfo, connect_timeout=3, **address) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            return connection.info.server_version, bool(row and row[0])
    except psycopg.Error:
        return None


def server_from_environment(url: str) -> Server:
    # Its own database need not exist: tests make theirs, beginning from the one every server has.
    answer = ask(url, dbname="postgres")
    if not answer:
        raise SystemExit("TEST_POSTGRES_URL is set, and no server answers there. Start it, or unset the variable.")
    version, may_create = answer
    if not may_create:
        raise SystemExit("TEST_POSTGRES_URL: that user may not create databases. Give it CREATEDB.")
    if version < OLDEST_POSTGRES:
        raise SystemExit("TEST_POSTGRES_URL: that server is older than PostgreSQL 14.")
    return Server(url, version)


def server_on_localhost() -> Server | None:
    """Return a server on port 5432 that lets us in without a password, by socket or by address."""
    users = dict.fromkeys([pwd.getpwuid(os.geteuid()).pw_name, "postgres"])
    for host in ("/var/run/postgresql", "127.0.0.1"):
        for user in users:
            answer = ask(host=host, port=5432, user=user, dbname="postgres")
            if answer and answer[1] and answer[0] >= OLDEST_POSTGRES:
                # The number keeps two runs on one server apart.
                return Server(f"postgresql://{user}@{quote(host, safe='')}:5432/peacekb_{os.getpid()}", answer[0])
    return None


def unprivileged() -> dict[str, Any]:
    """Return how to start PostgreSQL: as somebody else when we are root, which it refuses to be."""
    start: dict[str, Any] = {"env": {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}}
    if os.geteuid() != 0:
        return start
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return start | {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL does not run as root, and there is no user “postgres” or “nobody” to run it as.")


def hand_over(path: Path, start: dict[str, Any]) -> None:
    if "user" in start:
        os.chown(path, start["user"], start["group"])


def folder_for(start: dict[str, Any]) -> Path:
    """Make a folder that PostgreSQL can enter; root's own temporary folder may be closed to it."""
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):  # noqa: S108
        folder = Path(tempfile.mkdtemp(prefix="peacekb-postgres-", dir=parent))
        hand_over(folder, start)
        if subprocess.run(["test", "-w", str(folder)], **start).returncode == 0:
            return folder
        shutil.rmtree(folder)
    raise SystemExit("No temporary folder can be entered by the user that runs PostgreSQL. Set TMPDIR to one.")


def make_cluster(binaries: Path, folder: Path, password: str, start: dict[str, Any]) -> None:
    secret = folder / "password"
    secret.write_text(password)
    hand_over(secret, start)
    command = [
        str(binaries / "initdb"),
        "-D",
        str(folder / "data"),
        "--username=peacekb",
        f"--pwfile={secret}",
    ]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **start)
    if done.returncode:
        raise SystemExit(f"initdb failed: {done.stdout}{done.stderr}")


def start_cluster(
    binaries: Path, folder: Path, port: int, start: dict[str, Any], settings: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        **settings,
    }
    command = [str(binaries / "postgres"), "-D", str(folder / "data")]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        # A session of its own: Ctrl-C must not end it before the tests have let go of it.
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **start,
        )


@contextlib.contextmanager
def cluster_in(binaries: Path, folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """Run the PostgreSQL that lies in a folder, on loopback; where none does, make it."""
    start = unprivileged()
    if not (folder / "data").exists():
        make_cluster(binaries, folder, secrets.token_hex(16), start)
    password = (folder / "password").read_text()
    server: subprocess.Popen[bytes] | None = None
    try:
        for _ in range(3):  # somebody else may take the port between the look and the start
            port = free_port()
            server = start_cluster(binaries, folder, port, start, settings)
            until = time.monotonic() + 60
            while server.poll() is None and time.monotonic() < until:
                url = f"postgresql://peacekb:{password}@127.0.0.1:{port}/"
                answer = ask(f"{url}postgres")
                if answer:
                    yield Server(f"{url}peacekb", answer[0])
                    return
                time.sleep(0.1)
            stop(server)
        raise SystemExit(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
    finally:
        if server:
            stop(server)


@contextlib.contextmanager
def temporary_cluster(binaries: Path, settings: Mapping[str, str] = FORGETFUL) -> Iterator[Server]:
    """Run a PostgreSQL of our own, and remove it whatever happens."""
    folder = folder_for(unprivileged())
    try:
        with cluster_in(binaries, folder, settings) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End a PostgreSQL server as pg_ctl does: politely, then less so."""
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        end(server, (signal.SIGQUIT, signal.SIGKILL), patience=10)


@contextlib.contextmanager
def need_postgres() -> Iterator[Server]:
    url = os.environ.get("TEST_POSTGRES_URL", "")
    server = server_from_environment(url) if url else server_on_localhost()
    if server:
        yield server
        return
    with temporary_cluster(need_binaries()) as own:
        yield own
