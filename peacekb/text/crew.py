"""One deed done to many pieces on all cores, by forks of this process.

A fork has in memory what its parent has, such as the vocabulary, and sends back what it made. It must not touch the
database, whose connection is its parent's.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from .worker import parse_unwatched

# What takes longer is ended, and done anew where each text has its own clock.
_PATIENCE = 10.0

Piece = TypeVar("Piece")
Made = TypeVar("Made")


def cores() -> int:
    """Give the number of forks that are of use: one a core on Linux, one elsewhere, where forking is not safe."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def each(deed: Callable[[Piece], Made], pieces: Iterable[Piece], *, forks: int = 1) -> Iterator[Made]:
    """Do a deed to each piece, in order: here, or in two forks or more, which work ahead by a piece each.

    A piece should be worth some tens of milliseconds. What a fork cannot finish, because it ran out of time or memory
    or the deed raised, is done here: so errors are raised here, and a text that takes too long is told of.
    """
    if forks < 2:
        yield from map(deed, pieces)
        return
    coming = iter(pieces)
    busy: deque[tuple[_Fork[Piece, Made], Piece]] = deque()
    crew: list[_Fork[Piece, Made]] = []
    try:
        for piece in coming:
            if len(crew) < forks:
                crew.append(_Fork(deed, crew))
                crew[-1].begin(piece)
                busy.append((crew[-1], piece))
            else:
                yield from _finished(deed, busy, piece)
        while busy:
            yield from _finished(deed, busy, None)
    finally:
        for fork in crew:
            fork.end()


def _finished(
    deed: Callable[[Piece], Made], busy: "deque[tuple[_Fork[Piece, Made], Piece]]", following: Piece | None
) -> Iterator[Made]:
    """Give what became of the oldest piece; its fork has the following one in hand by then."""
    fork, piece = busy.popleft()
    made = fork.finish()
    if following is not None:
        fork.begin(following)
        busy.append((fork, following))
    yield deed(piece) if made is None else made[0]


class _Fork(Generic[Piece, Made]):
    """A process that does one deed to what it is sent, piece by piece."""

    def __init__(self, deed: Callable[[Piece], Made], others: "Iterable[_Fork[Piece, Made]]") -> None:
        self._deed, self._others = deed, others
        self._start()

    def _start(self) -> None:
        context = get_context("fork")
        self._connection, theirs = context.Pipe()
        # Their ends of the others' pipes would keep those forks alive when this process is gone.
        ours = [fork._connection for fork in self._others if fork is not self]
        self._process = context.Process(
            target=_serve, args=(self._deed, theirs, [self._connection, *ours]), daemon=True
        )
        self._process.start()
        theirs.close()

    def begin(self, piece: Piece) -> None:
        with suppress(OSError):  # told when it is asked for
            self._connection.send(piece)

    def finish(self) -> tuple[Made] | None:
        """Give what was made of the piece that was begun; `None` where nothing was, and a new process then waits."""
        with suppress(EOFError, OSError):
            if self._connection.poll(_PATIENCE):
                return (self._connection.recv(),)
        self.end()
        self._start()
        return None

    def end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()


def _serve(deed: Callable[[Any], Any], connection: Connection, others: list[Connection]) -> None:
    """Do the deed to each piece until the other side closes, or something goes wrong."""
    # Ctrl-C reaches all processes of a terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parse_unwatched()
    for other in others:
        other.close()
    with suppress(Exception):
        while True:
            connection.send(deed(connection.recv()))
    os._exit(0)
