"""Run every check and every test, on SQLite, on PostgreSQL and in a browser, and sum them up.

Run by the Python of .venv (see Makefile). Arguments go to pytest: make test ARGS="-k search".
What is missing is installed through apt-get when this runs as root; otherwise a sentence says what
to install. Nothing that is started here outlives the run.
"""

import argparse
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import quote
from xml.etree import ElementTree

from machine import ROOT, apt_install, end, free_port, need_chromium, own_environment, say

BIN = ROOT / ".venv" / "bin"
OLDEST_POSTGRES = 140000  # the oldest that Django 5.2 works with


def headline(text: str) -> None:
    say(f"\n=== {text}")


# --- What the tests need -------------------------------------------------------------------------


def postgres_binaries() -> Path | None:
    """Return the folder with initdb and postgres: on PATH, else the newest in Debian's places."""
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    on_path = shutil.which("initdb")
    for folder in [*([Path(on_path).parent] if on_path else []), *versioned]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


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


def start_cluster(binaries: Path, folder: Path, port: int, start: dict[str, Any]) -> "subprocess.Popen[bytes]":
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        # Nobody keeps these rows, so nothing waits for a disk.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
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
def temporary_cluster(binaries: Path) -> Iterator[Server]:
    """Start a PostgreSQL of our own on loopback, and remove it whatever happens."""
    start = unprivileged()
    folder = folder_for(start)
    server: subprocess.Popen[bytes] | None = None
    try:
        password = secrets.token_hex(16)
        make_cluster(binaries, folder, password, start)
        for _ in range(3):  # somebody else may take the port between the look and the start
            port = free_port()
            server = start_cluster(binaries, folder, port, start)
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
    binaries = postgres_binaries() or (apt_install("postgresql") and postgres_binaries())
    if not binaries:
        raise SystemExit(
            "The tests need PostgreSQL 14 or newer. Install it (on Debian: apt-get install postgresql; "
            "it need not run), or name a server with TEST_POSTGRES_URL=postgresql://user:password@host/name."
        )
    with temporary_cluster(binaries) as own:
        yield own


# --- Checks and tests ----------------------------------------------------------------------------


def base_environment() -> dict[str, str]:
    env = own_environment()
    return env | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PATH": f"{BIN}{os.pathsep}{env.get('PATH', '')}",
    }


def run_checks() -> list[str]:
    """Run what needs no test and return the names of those that failed."""
    templates = sorted(str(path) for path in (ROOT / "templates").rglob("*.html"))
    checks = {
        "ruff": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "import-linter": ["lint-imports", "--no-logo"],
        "djade": ["djade", "--target-version", "5.2", "--check", *templates] if templates else [],
        "makemigrations": ["python", "manage.py", "makemigrations", "--check", "--dry-run"],
    }
    failed = []
    for name, command in checks.items():
        headline(f"check: {name}")
        if not command:
            say("Nothing to check.")
        elif subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, env=base_environment()).returncode:
            failed.append(name)
    return failed


@dataclass
class Part:
    title: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    broken: bool = False


def run_to_end(command: list[str], env: dict[str, str]) -> int:
    """Run a program; when we are stopped, let it put away its own workers and databases first."""
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        return process.wait()
    except BaseException as stopped:
        # Ctrl-C has reached the program, too, and a second one would interrupt its cleaning up.
        if not isinstance(stopped, KeyboardInterrupt):
            process.send_signal(signal.SIGINT)
        end(process, (signal.SIGTERM, signal.SIGKILL), patience=10)
        raise


def run_pytest(title: str, arguments: list[str], report: Path, env: dict[str, str]) -> Part:
    """Run pytest and count from its report; a run that leaves none, or found no test, is broken."""
    headline(title)
    command = [str(BIN / "python"), "-m", "pytest", f"--junitxml={report}", *arguments]
    status = run_to_end(command, base_environment() | env)
    part = Part(title)
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 - our own report
            total, bad, skipped = (
                sum(int(suite.get(name, "0")) for name in names)
                for names in (["tests"], ["failures", "errors"], ["skipped"])
            )
            part.passed += total - bad - skipped
            part.failed += bad
            part.skipped += skipped
    # 1 says tests failed, which is counted; 5 says none was found, which `main` judges.
    part.broken = status not in (0, 1, 5) or (status == 1 and not part.failed)
    return part


def run_tests(arguments: list[str]) -> tuple[list[Part], str]:
    """Return the three parts and the name of the PostgreSQL they ran on."""
    chromium = need_chromium()
    with need_postgres() as server, tempfile.TemporaryDirectory(prefix="peacekb-reports-") as folder:
        reports = Path(folder)
        say(f"Chromium: {chromium}. PostgreSQL: {server.name}.")
        parallel = ["-n", "2", *arguments]
        return [
            run_pytest("SQLite", parallel, reports / "sqlite.xml", {}),
            run_pytest(server.name, parallel, reports / "postgresql.xml", {"DATABASE_URL": server.url}),
            run_pytest("browser", ["-m", "browser", *parallel], reports / "browser.xml", {"CHROMIUM": chromium}),
        ], server.name


def stop_on_signal(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks-only", action="store_true", help="run the linters and leave")
    options, arguments = parser.parse_known_args()
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, stop_on_signal)

    started = time.monotonic()
    bad_checks = run_checks()
    if options.checks_only:
        say(f"\npeacekb checks: {'failed: ' + ', '.join(bad_checks) if bad_checks else 'all passed'}")
        return 1 if bad_checks else 0

    parts, postgres = run_tests(arguments)
    sqlite, postgresql, browser = parts
    failed, skipped = sum(part.failed for part in parts), sum(part.skipped for part in parts)
    # Somebody who chose tests may have chosen none of a part; nobody may choose none at all.
    found = [part.passed + part.failed + part.skipped for part in parts]
    empty = [part.title for part, number in zip(parts, found, strict=True) if not number]
    nothing_ran = bool(empty) if not arguments else len(empty) == len(parts)
    broken = [part.title for part in parts if part.broken]

    seconds = time.monotonic() - started
    line = (
        f"peacekb tests: {sqlite.passed} passed on SQLite, {postgresql.passed} passed on {postgres}, "
        f"{browser.passed} browser passed, {failed} failed, {skipped} skipped in {seconds:.0f} s"
    )
    if bad_checks:
        line += f"; checks failed: {', '.join(bad_checks)}"
    if broken:
        line += f"; broke off: {', '.join(broken)}"
    if nothing_ran:
        line += f"; no test found: {', '.join(empty)}"
    say(f"\n{line}")
    return 1 if failed or bad_checks or broken or nothing_ran else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("\npeacekb tests: stopped before the end.")
        sys.exit(130)
