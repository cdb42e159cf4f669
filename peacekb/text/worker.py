"""Parsing against the clock: a process of its own that is ended when a text takes too long.

Bounds (see `markdown_tree`) catch the known costly texts; the clock catches the others. A thread cannot be ended,
a process can. One process is kept and serves the next text, so that the cost of starting it is met once. It ends
with the process that started it, for then its connection closes.
"""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from multiprocessing.connection import Connection
from pathlib import Path

from .markdown_tree import TextRefused, check_bounds, clean, costliest_line, parse
from .markup import as_xml

SECONDS = 3.0
# Even the costliest text of this length that passes the bounds is parsed in well under a second.
_SHORT = 2_000
_START_SECONDS = 20.0
_MEMORY_BYTES = 2 * 1024**3

_lock = threading.Lock()
_worker: tuple[subprocess.Popen[bytes], Connection, int] | None = None
_unwatched = False


def parse_within(source: str, seconds: float = SECONDS) -> ET.Element:
    """Parse Markdown as `markdown_tree.parse` does, in `seconds` at most.

    Raises `TextRefused` with the costliest place when the time is over, and as `parse` does.
    """
    source = clean(source)
    if len(source) <= _SHORT or _unwatched:
        return parse(source)
    check_bounds(source)
    with _lock:
        connection = _ready_connection()
        try:
            connection.send_bytes(source.encode())
            if not connection.poll(seconds):
                _end()
                raise TextRefused(
                    f"the text could not be rendered within {seconds:g} seconds; the costliest place begins here. "
                    "Simplify it or divide it with empty lines.",
                    costliest_line(source),
                )
            answer = connection.recv_bytes()
        except (EOFError, OSError):
            _end()
            raise TextRefused(
                "rendering the text ran out of memory; the costliest place begins here. Simplify it.",
                costliest_line(source),
            ) from None
    if answer.startswith(b"<"):
        return ET.fromstring(answer)  # noqa: S314  our own serialisation, not a stranger's XML
    refused = json.loads(answer)
    raise TextRefused(refused["reason"], refused["line"])


def parse_unwatched() -> None:
    """Parse in this process from now on, because it has a parent that ends it when a text takes too long."""
    global _unwatched
    _unwatched = True
    _limit_memory()


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _ready_connection() -> Connection:
    global _worker
    # A fork of this process has the parent's worker in its memory, and may not share it.
    if _worker is not None and (_worker[2] != os.getpid() or _worker[0].poll() is not None):
        if _worker[2] == os.getpid():
            _end()
        _worker = None
    if _worker is None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parents[2])
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module
            [sys.executable, "-m", f"{__package__}.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=root,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": root},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        _worker = (process, Connection(ours.detach()), os.getpid())
        try:
            started = _worker[1].poll(_START_SECONDS) and _worker[1].recv_bytes() == b"ready"
        except (EOFError, OSError):
            started = False
        if not started:
            _end()
            raise TextRefused("the renderer did not start. Try again in a minute.")
    return _worker[1]


def _end() -> None:
    global _worker
    if _worker is not None and _worker[2] == os.getpid():
        _worker[1].close()
        _worker[0].kill()
        _worker[0].wait()
    _worker = None


atexit.register(_end)


def _serve(connection: Connection) -> None:
    """Answer each text with its tree, or with why it is refused, until the other side closes."""
    _limit_memory()
    connection.send_bytes(b"ready")
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            connection.send_bytes(_answer(connection.recv_bytes().decode()))


def _answer(source: str) -> bytes:
    try:
        tree = as_xml(parse(source)).encode()
    except TextRefused as refused:
        reason, line = refused.reason, refused.line
    except RecursionError:
        reason, line = "the text is nested too deeply. Take some of the nesting away.", costliest_line(source)
    else:
        return tree
    return json.dumps({"reason": reason, "line": line}).encode()


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
