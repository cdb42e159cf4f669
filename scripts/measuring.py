"""What the measuring scripts share: how long a deed takes, and essays to do it with."""

import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ESSAY = ROOT / "fixtures" / "essays" / "diplomacy-in-peacekeeping.md"

LATIN = "abcdefghijklmnoprstuvw"
FRENCH = "abcdefghilmnopqrstuvéèêàçôîœ"
ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
WORDS_A_NAME = 25  # in generated prose, every so many words one is a name


class Times(NamedTuple):
    """Medians of some runs in milliseconds: CPU time of this process, time by the clock, and the slowest of these."""

    cpu: float
    wall: float
    slowest: float


def measure(deed: Callable[[], object], runs: int, *, warm: bool = True) -> Times:
    """Do a deed some times; unless told otherwise once before, which fills caches and does not count."""
    if warm:
        deed()
    cpu, wall = [], []
    for _ in range(runs):
        cpu_started, started = time.process_time(), time.perf_counter()
        deed()
        cpu.append((time.process_time() - cpu_started) * 1000)
        wall.append((time.perf_counter() - started) * 1000)
    return Times(statistics.median(cpu), statistics.median(wall), max(wall))


def headline(text: str) -> None:
    print(f"\n{text:<58} {'CPU':>9} {'clock':>9} {'slowest':>9}   ms", flush=True)


def show(name: str, times: Times, *baselines: tuple[str, Times], by: Literal["cpu", "wall"] = "wall") -> Times:
    """Print a line of the table, with how many times as long it took as each of some others."""
    ratios = [f"{getattr(times, by) / max(getattr(other, by), 0.001):.2f} x {called}" for called, other in baselines]
    print(f"{name:<58} {times.cpu:>9.1f} {times.wall:>9.1f} {times.slowest:>9.1f}   {', '.join(ratios)}", flush=True)
    return times


def line(
    name: str, deed: Callable[[], object], runs: int, *baselines: tuple[str, Times], by: Literal["cpu", "wall"] = "wall"
) -> Times:
    return show(name, measure(deed, runs), *baselines, by=by)


def set_up(database: str, folder: str) -> None:
    """Set Django up for a database; what else it writes goes to a folder. Processes started later find the same."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "peacekb.settings",
        "DATABASE_URL": database,
        "DEBUG": "off",
        "LOG_LEVEL": "ERROR",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SITE_URL": "http://127.0.0.1:8000",
        "STATIC_ROOT": f"{folder}/static",
    }
    import django

    django.setup()

    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def fill() -> None:
    """Make the tables, and load the starter library."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("seed", stdout=nowhere)


@contextmanager
def own_site(database: str = "") -> Iterator[None]:
    """Set Django up on a database of its own with the starter library; without an address, one in a folder that goes.

    Processes started meanwhile find the same site by `django.setup()`.
    """
    with tempfile.TemporaryDirectory(prefix="peacekb-bench-") as folder:
        set_up(database or f"sqlite:///{folder}/bench.sqlite3", folder)

        from django.db import connection

        if connection.introspection.table_names():
            raise SystemExit("The database holds tables already, and measuring would fill them. Name an empty one.")
        fill()
        yield


class Generator:
    """Makes essays, the same ones for the same numbers: words of a Zipf vocabulary with names strewn in."""

    def __init__(self, names: list[str], letters: str = LATIN, words: int = 40_000) -> None:
        chance = random.Random(2026)  # noqa: S311  repeatable on purpose
        self.words = ["".join(chance.choices(letters, k=chance.randint(3, 10))) for _ in range(words)]
        self.weights = [1 / (rank + 10) for rank in range(len(self.words))]
        self.names = names
        self.tags = [f"topic {number}" for number in range(40)] + ["mediation", "reconstruction", "human rights"]

    def essay(self, number: int, length: int = 800) -> dict[str, Any]:
        """Give the document of an article of so many words."""
        chance = random.Random(number)  # noqa: S311
        words = chance.choices(self.words, weights=self.weights, k=length)
        for place in range(0, length, WORDS_A_NAME):
            words[place] = chance.choice(self.names)
        paragraphs = [" ".join(words[place : place + 80]).capitalize() + "." for place in range(0, len(words), 80)]
        for place in range(0, len(paragraphs), 3):
            paragraphs.insert(place + place // 3, f"## {paragraphs[place][:40]}")
        return {
            "title": f"Essay {number}",
            "slug": f"essay-{number}",
            "tags": chance.sample(self.tags, 3),
            "source": "\n\n".join(paragraphs),
        }

    def text(self, characters: int) -> str:
        """Give the texts of as many essays as it takes, cut to a length."""
        found: list[str] = []
        length = 0
        while length < characters:
            found.append(self.essay(len(found))["source"])
            length += len(found[-1]) + 2
        return "\n\n".join(found)[:characters]

    def labels(self, known: list[str], count: int) -> list[str]:
        """Give so many different labels: the known ones, then made ones of one to four words, a quarter of one."""
        chance, weights = random.Random(7), list(accumulate(self.weights[200:]))  # noqa: S311
        found = dict.fromkeys(known)
        while len(found) < count:
            length = chance.choices((1, 2, 3, 4), weights=(25, 45, 20, 10))[0]
            words = chance.choices(self.words[200:], cum_weights=weights, k=max(2, length))
            # One common word would be found everywhere: a label of one word is a word of its own.
            found["".join(words) if length == 1 else " ".join(words)] = None
        return list(found)[:count]
