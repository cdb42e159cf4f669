"""Run every check and every test, on SQLite, on PostgreSQL and in a browser, and sum them up.

Run by the Python of .venv (see Makefile). Arguments go to pytest: make test ARGS="-k search".
What is missing is installed through apt-get when this runs as root; otherwise a sentence says what
to install. Nothing that is started here outlives the run.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from machine import ROOT, end, need_chromium, own_environment, say, stop_on_signals
from postgres import need_postgres

BIN = ROOT / ".venv" / "bin"


def headline(text: str) -> None:
    say(f"\n=== {text}")


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks-only", action="store_true", help="run the linters and leave")
    options, arguments = parser.parse_known_args()
    stop_on_signals()

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
