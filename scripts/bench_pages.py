"""Measure pages as readers get them: from the server of `make run`, from nginx in front of it, and from a plain file.

16 connections that are kept open ask for the same page for some seconds. A line gives requests a second, the median
and the 99th percentile of the time to the answer, and the CPU time that one request takes of all processes that serve
(the site's, nginx's and, on this machine, PostgreSQL's; not the one that asks), with its ratio to the named baseline,
nginx serving the same compressed bytes as a file. All is measured in one run, on the starter library in a database of
its own. wrk and nginx are installed if need be.
"""

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from machine import ROOT, apt_install, free_port, say
from trial_site import TrialSite, trial_site

PAGES = {
    "home": "/",
    "article": "/articles/diplomacy-in-peacekeeping/",
    "concept": "/concepts/ceasefire/",
    "tag": "/tags/mediation/",
}
CONNECTIONS = 16
LOOK = 0.3  # seconds after which each process has noticed a change (peacekb.pages.store.LOOK_EVERY)
EDITIONS = 25  # changes after which each page is asked for
TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds


class Load(NamedTuple):
    """What one line measured: requests a second, milliseconds to the answer, milliseconds of CPU a request."""

    rate: float
    median: float
    slow: float
    cpu: float


def need(program: str, package: str) -> str:
    path = shutil.which(program) or (apt_install(package) and shutil.which(program))
    if not path:
        raise SystemExit(f"This needs {program}. Install it; on Debian: apt-get install {package}.")
    return path


# --- the machine -------------------------------------------------------------------------------------------------


def tree_of(*roots: int) -> set[int]:
    """Give the processes and all that they started, and those of a PostgreSQL on this machine."""
    parents: dict[int, int] = {}
    found = set(roots)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue
        pid = int(status.parent.name)
        parents[pid] = int(rest.split()[1])
        if name.endswith("(postgres"):
            found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_of(processes: set[int]) -> float:
    """Give the CPU time that processes have used, in milliseconds."""
    total = 0.0
    for pid in processes:
        try:
            numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(numbers[11]) + int(numbers[12])) * TICK
    return total


def memory_of(processes: set[int]) -> float:
    """Give the memory of processes in MiB, what they share counted once (PSS)."""
    return sum(
        int(match[1]) / 1024
        for pid in processes
        if (match := re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE))
    )


# --- asking ------------------------------------------------------------------------------------------------------


def fetch(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    asked = Request(address, headers={name.replace("_", "-"): value for name, value in headers.items()})  # noqa: S310 - our own site
    try:
        with urlopen(asked, timeout=30) as answer:  # noqa: S310
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}, b""


def load(wrk: str, address: str, seconds: int, roots: tuple[int, ...], *headers: str) -> Load:
    """Ask for one page as fast as it comes."""
    command = [wrk, "-t1", f"-c{CONNECTIONS}", "--latency"]
    for header in ("Accept-Encoding: gzip", *headers):
        command += ["-H", header]
    subprocess.run([*command, "-d1s", address], check=True, capture_output=True)
    processes = tree_of(*roots)
    before = cpu_of(processes)
    told = subprocess.run([*command, f"-d{seconds}s", address], check=True, capture_output=True, text=True).stdout
    used = cpu_of(processes) - before
    if "Non-2xx" in told and not any(header.startswith("If-None-Match") for header in headers):
        raise SystemExit(f"{address} answered with an error:\n{told}")
    requests = int(re.search(r"(\d+) requests in", told)[1])  # type: ignore[index]
    return Load(requests / seconds, percentile(told, "50"), percentile(told, "99"), used / requests)


def percentile(told: str, which: str) -> float:
    number, unit = re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def show(name: str, measured: Load, baseline: Load | None = None) -> Load:
    ratio = f"{measured.cpu / baseline.cpu:.1f} x nginx's file" if baseline else ""
    figures = f"{measured.rate:>9,.0f} {measured.median:>8.2f} {measured.slow:>8.2f} {measured.cpu:>9.4f}"
    print(f"{name:<44} {figures}   {ratio}", flush=True)
    return measured


# --- nginx -------------------------------------------------------------------------------------------------------


@contextmanager
def nginx_before(site: TrialSite, folder: Path) -> Iterator[tuple[str, str, int]]:
    """Run nginx as docs/nginx.conf has it, without TLS; give its address, that of a server of files, its process."""
    front, files = free_port(), free_port()
    written = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
    # TLS costs the same in front of anything; the rest is measured as it is recommended.
    written = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", written, flags=re.DOTALL)
    written = re.sub(r"    ssl_certificate.*\n", "", written)
    written = written.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{front};")
    written = written.replace("/var/cache/nginx/peacekb", str(folder / "cache"))
    written = written.replace("server 127.0.0.1:8000;", f"server {site.address.removeprefix('http://')};")
    # The site knows itself by the address it was started with.
    written = written.replace("proxy_set_header Host $host;", f"proxy_set_header Host {site.address[7:]};")
    temporary = "\n".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    plain = f"server {{ listen 127.0.0.1:{files}; root {folder}/files; default_type text/html; }}"
    whole = (
        f"worker_processes 2;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        "events { worker_connections 512; }\n"
        "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n"
        f"{temporary}\n{plain}\n{written}\n}}\n"
    )
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    folder.chmod(0o755)
    command = [
        need("nginx", "nginx"),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        f"{folder}/error.log",
        "-g",
        "daemon off;",
    ]
    process = subprocess.Popen(command)
    try:
        for _ in range(50):
            if process.poll() is None and fetchable(f"http://127.0.0.1:{front}/"):
                break
            time.sleep(0.1)
        else:
            raise SystemExit(f"nginx did not start:\n{(folder / 'error.log').read_text()}")
        yield f"http://127.0.0.1:{front}", f"http://127.0.0.1:{files}", process.pid
    finally:
        process.terminate()
        process.wait(10)


def fetchable(address: str) -> bool:
    try:
        return fetch(address)[0] == 200
    except OSError:
        return False


# --- what is measured --------------------------------------------------------------------------------------------


def after_a_change(site: TrialSite, wanted: dict[str, str]) -> None:
    """Measure the first view of each page after something was published, in whichever process answers."""
    counting = "from peacekb.models import Edition; Edition.advance()"
    deed = [sys.executable, "-c", f"import django; django.setup()\nfor line in open(0): {counting}; print(flush=True)"]
    with subprocess.Popen(
        deed, cwd=ROOT, env=site.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as editor:
        assert editor.stdin  # noqa: S101
        assert editor.stdout  # noqa: S101
        times: dict[str, list[float]] = {name: [] for name in wanted}
        used: dict[str, float] = dict.fromkeys(wanted, 0.0)
        for _ in range(EDITIONS):
            editor.stdin.write("\n")
            editor.stdout.readline()
            time.sleep(LOOK)
            for name, path in wanted.items():
                processes = tree_of(site.process)
                before, started = cpu_of(processes), time.perf_counter()
                fetch(site.address + path, Accept_Encoding="gzip")
                times[name].append((time.perf_counter() - started) * 1000)
                used[name] += cpu_of(processes) - before
        editor.stdin.close()
    print(f"\n{'First view after a change':<44} {'':>9} {'median':>8} {'slowest':>8} {'CPU':>9}   ms", flush=True)
    for name in wanted:
        ordered = sorted(times[name])
        print(
            f"{name:<44} {'':>9} {ordered[len(ordered) // 2]:>8.2f} {ordered[-1]:>8.2f} {used[name] / EDITIONS:>9.2f}",
            flush=True,
        )


def seen_within(site: TrialSite, path: str) -> None:
    """Measure how long a change takes to reach readers in every process."""
    script = (
        "from peacekb.models import Concept; from peacekb.publishing import publish; import time;"
        "page = Concept.objects.get(slug='ceasefire'); page.source += '\\n\\nMeasured.'; page.save(); publish(page);"
        "print(time.time())"
    )
    editor = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", script],
        cwd=ROOT, env=site.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    last_old, until = 0.0, float("inf")
    while time.time() < until:
        asked = time.time()
        # A connection of its own each time: the kernel gives it to one process or the other.
        if b"Measured." not in fetch(site.address + path)[2]:
            last_old = asked
        if until == float("inf") and editor.poll() is not None:
            until = time.time() + 2
    published = float(editor.communicate()[0].split()[-1])
    late = max(0.0, last_old - published) * 1000
    print(f"\nAsked for {late:.0f} ms after a publication the old page was seen for the last time, in any process.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4, help="how long each line is measured")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database, instead of SQLite")
    options = parser.parse_args()
    wrk = need("wrk", "wrk")
    need("nginx", "nginx")
    settings = {"DATABASE_URL": options.database_url} if options.database_url else {}
    with tempfile.TemporaryDirectory(prefix="peacekb-pages-") as name, trial_site(**settings) as site:
        folder = Path(name)
        (folder / "files").mkdir()
        say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, {CONNECTIONS} connections")
        sizes = []
        for page, path in PAGES.items():
            _, _, body = fetch(site.address + path, Accept_Encoding="gzip")
            (folder / "files" / f"{page}.html").write_bytes(body)
            sizes.append(f"{page} {len(body) / 1000:.1f} kB ({len(gzip.decompress(body)) / 1000:.0f})")
        say("Compressed: " + ", ".join(sizes))
        with nginx_before(site, folder) as (front, files, nginx):
            print(f"\n{'':<44} {'requests':>9} {'median':>8} {'99 %':>8} {'CPU':>9}   a second, ms, ms, ms a request")
            for page, path in PAGES.items():
                plain = show(f"{page}: nginx, a file", load(wrk, f"{files}/{page}.html", options.seconds, (nginx,)))
                show(f"{page}: site, warm", load(wrk, site.address + path, options.seconds, (site.process,)), plain)
                tag = fetch(site.address + path)[1]["etag"]
                known = f"If-None-Match: {tag}"
                measured = load(wrk, site.address + path, options.seconds, (site.process,), known)
                show(f"{page}: site, 304", measured, plain)
                both = load(wrk, front + path, options.seconds, (nginx, site.process))
                show(f"{page}: nginx before the site", both, plain)
        after_a_change(site, PAGES)
        seen_within(site, PAGES["concept"])
        for number in range(400):
            fetch(f"{site.address}/search/?q=word{number}")
        print(f"Memory of the site's processes, warm: {memory_of(tree_of(site.process)):.0f} MiB (PSS)")


if __name__ == "__main__":
    main()
