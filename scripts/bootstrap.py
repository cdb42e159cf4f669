"""Make .venv as the lock files say, and the key of this checkout. Needs only the standard library.

Written for the oldest python3 somebody may type, so that it can say which newer one is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}


def say(text: str) -> None:
    print(text, flush=True)


def is_new_enough(python: str) -> bool:
    """Run it and ask: a name on PATH may be a shim with nothing behind it."""
    question = "import sys; sys.exit(sys.version_info[:2] < (%d, %d))" % OLDEST
    try:
        return subprocess.run([python, "-c", question], capture_output=True).returncode == 0
    except OSError:
        return False


def find_python() -> str:
    """Return a Python that is new enough, first of all the one that runs this."""
    names = ["python3.13", "python3.12", "python3.11", "python3.14", "python3"]
    for python in [sys.executable, *filter(None, map(shutil.which, names))]:
        if is_new_enough(python):
            return python
    raise SystemExit(
        "peacekb needs Python %d.%d or newer, and this python3 is %d.%d. Install a newer one "
        "(on Debian and Ubuntu: apt-get install python3 python3-venv) and run the same command again."
        % (*OLDEST, *sys.version_info[:2])
    )


def make_venv() -> None:
    python = find_python()
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode:
        raise SystemExit(
            "%s cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv "
            "— then run the same command again." % python
        )
    shutil.rmtree(VENV, ignore_errors=True)
    run_quietly([python, "-m", "venv", str(VENV)], "Could not make .venv.")


def run_quietly(command: list[str], complaint: str) -> None:
    """Run a command, and show what it said only if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode:
        say(done.stdout)
        raise SystemExit(complaint + " What was said about it stands above.")


def stamp_of(kind: str) -> str:
    """Return what an environment of this kind was made from; a moved checkout counts as another."""
    what = hashlib.sha256()
    version = subprocess.run([str(PYTHON), "-V"], stdout=subprocess.PIPE, check=True).stdout
    for part in (version, str(VENV).encode(), (ROOT / LOCKS[kind]).read_bytes()):
        what.update(hashlib.sha256(part).digest())
    return what.hexdigest()


def is_stamped(kind: str) -> bool:
    stamp = VENV / (".peacekb-" + kind)
    return stamp.exists() and is_new_enough(str(PYTHON)) and stamp.read_text() == stamp_of(kind)


def install(kind: str) -> None:
    """Bring .venv to the lock file of this kind, unless it is there already."""
    if is_stamped(kind):
        return
    if not (is_new_enough(str(PYTHON)) and (VENV / "bin" / "pip").exists()):
        make_venv()
    say("Installing packages from %s into .venv (about a minute) …" % LOCKS[kind])
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    run_quietly([*pip, "--require-hashes", "-r", str(ROOT / LOCKS[kind])], "Could not install the packages.")
    # The development lock holds the other one whole, in the same versions.
    for done in ("run", "dev") if kind == "dev" else ("run",):
        (VENV / (".peacekb-" + done)).write_text(stamp_of(done))


def make_secret_key() -> None:
    """Write var/secret_key once; only its owner may read it."""
    folder = ROOT / "var"
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(str(folder / "secret_key"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(64) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also install what tests and checks need")
    install("dev" if parser.parse_args().dev else "run")
    make_secret_key()
