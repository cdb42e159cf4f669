"""What this machine has for tests and pictures, or lets us install: a browser, packages, a free port."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
CHROMIUM_FLAGS = [
    "--no-sandbox",  # as root it does not start otherwise, and it only sees our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What a developer may have set for a running site must change neither a test nor a picture.
FOREIGN = [
    "DATABASE_URL",
    "SITE_URL",
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
    "PORT",
    "HOST",
    "TRUST_PROXY",
    "ALLOWED_HOSTS",
    "HSTS_SECONDS",
    "HSTS_SUBDOMAINS",
    "WEB_CONCURRENCY",
    "WEB_THREADS",
    "ACCESS_LOG",
    "PGSERVICE",
    "PGHOSTADDR",
]


def say(text: str) -> None:
    print(text, flush=True)


def own_environment() -> dict[str, str]:
    """Give the environment without what was set for another site."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def apt_install(*packages: str) -> bool:
    """Install Debian packages if this machine lets us; show what apt-get said only if it failed."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"Installing {', '.join(packages)} with apt-get …")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-q", *command], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode:
            say(done.stdout + done.stderr)
            return False
    return True


def find_chromium() -> str | None:
    chosen = os.environ.get("CHROMIUM", "")
    if chosen:
        if not shutil.which(chosen):
            raise SystemExit(f"CHROMIUM={chosen} is not a program that can be run.")
        return shutil.which(chosen)
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def need_chromium() -> str:
    """Return the path of Chromium, installed if need be, or stop with the way out."""
    # The fonts: without any, a browser shows boxes and measures nothing right.
    found = find_chromium() or (apt_install("chromium", "fonts-noto-core") and find_chromium())
    if not found:
        raise SystemExit(
            "This needs Chromium. Install it (on Debian: apt-get install chromium), "
            "or name one with CHROMIUM=/path/to/chromium."
        )
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def stop_on_signals() -> None:
    """Let what was started be ended in order when this process is asked to end."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)


def end(process: "subprocess.Popen[bytes]", signals: Iterable[signal.Signals], *, patience: float) -> None:
    """Wait for a program that was asked to end, and send a further signal each time
    `patience`, in seconds, is out."""
    for further in signals:
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            process.send_signal(further)
    process.wait(patience)
