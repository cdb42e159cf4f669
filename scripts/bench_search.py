"""Measure searches on large bases, on both engines, each beside the bare engine asked the same on the same rows.

A line asks some 40 different queries once, each as a whole request through Django, with no answer kept from before,
and gives the median and the 95th percentile by the clock, the same of the CPU time of this process and of the one that
serves it at PostgreSQL, then by the clock those of the bare engine, best 20 by its own rank without counting, narrowing
or showing anything, and how many times as long the request took at both. A word is rare where it stands in less than
one section of 1,000, middling in 1 to 4 of 100, and common in half of all. Nothing here fails for being slow, but odd
queries.

    make bench-search ARGS="--essays 100000 --keep var/search"     makes the bases once, and measures them again later
"""

import argparse
import contextlib
import gc
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from machine import say, stop_on_signals
from measuring import Generator, fill, set_up
from postgres import cluster_in, folder_for, hand_over, need_binaries, unprivileged
from search_base import Library, library, write_beginnings, write_entries, write_essays

# As on a small server: a quarter of two gigabytes for what is read often.
SERVER = {"shared_buffers": "512MB", "maintenance_work_mem": "256MB", "max_wal_size": "4GB"}
WRITES = 10


class Query(NamedTuple):
    """What a reader asks for, and the words of it: each a group of index keys that stand together."""

    asked: dict[str, str]
    phrases: list[list[str]]
    beginning: bool = False  # of the last word only the beginning is given
    path: str = "/search/"

    @property
    def address(self) -> str:
        return f"{self.path}?{urlencode(self.asked)}"


class Percentiles(NamedTuple):
    """Milliseconds."""

    middle: float
    slow: float


def percentiles(times: Sequence[float]) -> Percentiles:
    ordered = sorted(times)
    return Percentiles(statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))])


# --- queries -----------------------------------------------------------------------------------------------------


def queries(made: Library, runs: int) -> dict[str, list[Query]]:
    """Give the queries of each line."""
    from taggit.models import Tag

    from peacekb.text.words import keys

    english = made.writers["en"]
    chance = random.Random(5)  # noqa: S311  repeatable on purpose

    def some(words: Sequence[str], start: int = 0) -> list[str]:
        """Give as many words as are needed, from all over the band."""
        few = words[start :: max(1, len(words) // runs)] if len(words) > runs else words
        return list(islice(cycle(few), runs))

    def plain(*columns: Sequence[str]) -> list[Query]:
        return [Query({"q": " ".join(words)}, [keys(word) for word in words]) for words in zip(*columns, strict=True)]

    rare, middling, common = english.band(0, 0.001), english.band(0.01, 0.04), english.band(0.5, 1)
    long = [word for word in middling if len(word) > 5]
    names = sorted({name.text for name in english.names})
    single, together = [name for name in names if len(name.split()) == 1], [name for name in names if " " in name]
    tags = [tag.slug for tag in Tag.objects.filter(pk__in=made.tags)]
    pairs = [tuple(chance.sample(common, 2)) for _ in range(runs)]
    one = plain(some(middling))
    wrong = [_misspelt(word, chance) for word in [*some(long)[::2], *some([n for n in single if len(n) > 6])[1::2]]]
    return {
        "one word, rare": plain(some(rare)),
        "one word, middling": one,
        "one word, a name": plain(some(single)),
        f"one word, common ({len(common)})": plain(some(common)),
        "two words, middling": plain(some(middling), some(middling, 1)),
        "two words, one common": plain(some(middling), some(common)),
        "two words, both common": plain(*zip(*pairs, strict=True)),
        "phrase": [Query({"q": f'"{name}"'}, [keys(name)]) for name in some(together)],
        "name of several words": plain(*zip(*(name.split()[:2] for name in some(together)), strict=True)),
        "prefix": [Query({"q": f"{word[:4]}*"}, [[word[:4]]], beginning=True) for word in some(long)],
        "word and tag": [query._replace(asked={**query.asked, "tag": tag}) for query, tag in zip(one, cycle(tags))],
        "word, kind and language": [
            query._replace(asked={**query.asked, "kind": "article", "lang": language})
            for query, language in zip(one, cycle(made.writers))
        ],
        "common word and tag": [
            query._replace(asked={**query.asked, "tag": tag}) for query, tag in zip(plain(some(common)), cycle(tags))
        ],
        "misspelt": [Query({"q": word}, []) for word in wrong],
        "suggestion": [Query({"q": word[:4]}, [], path="/search/suggest/") for word in some([*names, *long])],
    }


def _misspelt(word: str, chance: random.Random) -> str:
    """Swap two letters in the middle of a word, or leave one out."""
    place = chance.randrange(2, len(word) - 2)
    rest = word[place + 1] + word[place] if chance.random() < 0.5 else word[place]
    return word[:place] + rest + word[place + 2 :]


# --- measuring ---------------------------------------------------------------------------------------------------


def bare() -> Callable[[Query], None]:
    """Give what asks the engine itself, by its own driver on a connection of its own."""
    from django.db import connection

    settings = connection.get_connection_params()
    if connection.vendor == "sqlite":
        import sqlite3

        from peacekb.search.sqlite import TABLE

        file = sqlite3.connect(settings["database"])
        file.execute("PRAGMA cache_size=-20000")  # as the site has it

        def ask_file(query: Query) -> None:
            match = " AND ".join(f'"{" ".join(words)}"' for words in query.phrases) + "*" * query.beginning
            file.execute(
                f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH ? ORDER BY rank LIMIT 20",  # noqa: S608
                [match],
            ).fetchall()

        return ask_file

    import psycopg

    server = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

    def ask_server(query: Query) -> None:
        match = " & ".join(f"({' <-> '.join(words)})" for words in query.phrases)
        match = match.removesuffix(")") + ":*)" if query.beginning else match
        server.execute(
            "SELECT section_id FROM peacekb_searchentry, to_tsquery('simple', %s) query WHERE vector @@ query "
            "ORDER BY ts_rank(vector, query) DESC LIMIT 20",
            [match],
        ).fetchall()

    return ask_server


def search_lines(made: Library, runs: int) -> None:
    from django.test import Client
    from django.urls import Resolver404, resolve

    from peacekb.models import Edition

    client, ask = Client(headers={"host": "127.0.0.1"}), bare()
    client.get("/search/?q=warm")
    worked = processor()
    say(f"\n{'':<28} {'p50':>8} {'p95':>8} {'CPU p50':>8} {'p95':>8} {'bare p50':>9} {'p95':>8}   ms")
    for name, asked in queries(made, runs).items():
        cpu, wall, alone = [], [], []
        for query in asked:
            if query.phrases:
                started = time.perf_counter()
                ask(query)
                alone.append((time.perf_counter() - started) * 1000)
        try:
            resolve(asked[0].path)
        except Resolver404:
            say(f"{name:<28} there is no {asked[0].path}")
            continue
        Edition.advance()  # what a process keeps of earlier lines is gone
        client.get("/about/")
        for query in asked:
            cpu_started, started = worked(), time.perf_counter()
            answer = client.get(query.address)
            cpu.append((worked() - cpu_started) * 1000)
            wall.append((time.perf_counter() - started) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{query.address} answered {answer.status_code}.")
        show(name, percentiles(wall), percentiles(cpu), percentiles(alone) if alone else None)


# What engines, databases, Python, HTML and addresses take for more than letters.
_ODD = (
    *(
        '"',
        "'",
        "*",
        "-",
        "--",
        "(",
        ")",
        "{",
        "}",
        "^",
        ":",
        "+",
        "&",
        "|",
        "!",
        "<->",
        "\\",
        "%",
        "_",
        ";",
        "/*",
        "\x00",
    ),
    *(
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        "NEAR/3",
        "title:",
        "facts:",
        "tag:",
        "-tag:",
        "kind:x",
        "lang:zz",
        "role:",
        "after:",
    ),
    *("after:99999", "before:-1", "after:2015", "zzkind61727469636c65zz", "zzlead*", "{text} :", "rank", "rowid"),
    *(
        "'; DROP TABLE peacekb_page; --",
        "1 OR 1=1",
        "UNION SELECT",
        "<script>alert(1)</script>",
        "{{ 1 }}",
        "${x}",
        "%s",
    ),
    *("\u200f", "\u202e", "\u2067", "\u200d", "\u0301", "\ue000", "\ue001", "\ufeff", "\U0001f54a", "\ud800", "\udfff"),
    *(
        "\u0641\u064a",
        "\u0627\u0644",
        "\u0640" * 50,
        "e\u0301" * 30,
        "\u548c" * 500,
        "ceasefire",
        "mediation",
        "the",
        "peac*",
    ),
    *(
        "word " * 10_000,
        "a" * 5_000,
        '"' * 300,
        "(" * 300,
        "-x " * 200,
        "a OR " * 200,
        "tag:x " * 100,
        "title:peace " * 50,
    ),
)
MOST_SECONDS = 2.0


def odd_lines(number: int) -> None:
    """Ask odd queries, one to six pieces each; stop at one that fails or takes too long."""
    from django.test import Client

    client, chance = Client(headers={"host": "127.0.0.1"}, raise_request_exception=False), random.Random(3)  # noqa: S311
    client.get("/search/?q=warm")
    times, codes = [], set()
    for place in range(number):
        text = chance.choice(("", " ")).join(chance.choices(_ODD, k=1 + place % 6))
        path = "/search/suggest/" if place % 10 == 9 else "/search/"
        address = f"{path}?{urlencode({'q': text}, errors='surrogatepass')}"
        started = time.perf_counter()
        codes.add(code := client.get(address).status_code)
        times.append(time.perf_counter() - started)
        if code not in (200, 400) or times[-1] > MOST_SECONDS:
            raise SystemExit(f"{text[:200]!r} answered {code} in {times[-1]:.1f} s.")
    say(f"{number:,} odd queries answered {sorted(codes)}, the slowest in {max(times):.2f} s")


def show(name: str, request: Percentiles, cpu: Percentiles, alone: Percentiles | None = None) -> None:
    beside = ""
    if alone:
        times = f"{request.middle / alone.middle:.1f} x, {request.slow / alone.slow:.1f} x"
        beside = f" {alone.middle:>9.1f} {alone.slow:>8.1f}   {times}"
    say(f"{name:<28} {request.middle:>8.1f} {request.slow:>8.1f} {cpu.middle:>8.1f} {cpu.slow:>8.1f}{beside}")


def processor() -> Callable[[], float]:
    """Give what gives the seconds that this process and the one that serves it at PostgreSQL have worked.

    Only Linux tells of another process.
    """
    from django.db import connection

    served = Path("/nowhere")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            served = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")

    def worked() -> float:
        other = int(served.read_text().split()[0]) / 1e9 if served.exists() else 0.0
        return time.process_time() + other

    return worked


def write_lines() -> None:
    from peacekb.documents import document_of, write
    from peacekb.models import Label, Page
    from peacekb.publishing import publish

    generator = Generator(list(Label.objects.filter(language="en").values_list("text", flat=True)))
    number = Page.objects.filter(slug__startswith="measured-").count()
    added = [generator.essay(number + place) | {"slug": f"measured-{number + place}"} for place in range(WRITES)]
    pages: list[Page] = []

    def add() -> None:
        pages.append(write(added[len(pages)], "article"))
        publish(pages[-1])

    def change() -> None:
        page = pages.pop()
        publish(write(document_of(page) | {"source": f"{page.source}\n\nChanged."}, "article", page))

    def save() -> None:
        page = Page.objects.get(slug=f"measured-{number}")
        page.summary = f"{page.summary}."
        page.save()

    worked = processor()
    for name, deed in (
        ("publish a new essay", add),
        ("save an essay by the ORM", save),
        ("publish a changed essay", change),
    ):
        cpu, wall = [], []
        for _ in range(WRITES):
            cpu_started, started = worked(), time.perf_counter()
            deed()
            cpu.append((worked() - cpu_started) * 1000)
            wall.append((time.perf_counter() - started) * 1000)
        show(name, percentiles(wall), percentiles(cpu))


def size_line() -> None:
    """Tell how large the index is on disk, beside the text."""
    from django.db import connection

    sizes = {
        # Named one by one: to look for the pages of some tables, SQLite would go through the whole file.
        "sqlite": (
            "SELECT (SELECT sum(length(CAST(text AS BLOB))) FROM peacekb_section),"
            " (SELECT sum(pgsize) FROM sqlite_master m JOIN dbstat s ON s.name = m.name AND s.aggregate = 1"
            " WHERE m.tbl_name LIKE 'peacekb_fulltext%' AND m.type = 'table'),"
            " (SELECT sum(pgsize) FROM sqlite_master m JOIN dbstat s ON s.name = m.name AND s.aggregate = 1"
            " WHERE m.tbl_name = 'peacekb_searchentry')"
        ),
        "postgresql": (
            "SELECT (SELECT sum(octet_length(text)) FROM peacekb_section),"
            " pg_indexes_size('peacekb_searchentry'), pg_table_size('peacekb_searchentry')"
        ),
    }
    with connection.cursor() as cursor:
        cursor.execute(sizes[connection.vendor])
        text, index, entries = map(float, cursor.fetchone())
    say(
        f"Text {text / 1e6:,.0f} MB; index {index / 1e6:,.0f} MB, {index / text:.2f} x; "
        f"with the rows it is made of {(index + entries) / 1e6:,.0f} MB, {(index + entries) / text:.2f} x"
    )


def measure_base(database: str, essays: int, runs: int, *, index_again: bool, odd: int) -> None:
    """Measure one base; where it is empty, make it first."""
    with tempfile.TemporaryDirectory(prefix="peacekb-search-") as folder:
        set_up(database, folder)

        from django.core.management import call_command
        from django.db import connection

        from peacekb.models import Beginning, Page, SearchEntry, Section

        if not connection.introspection.table_names():
            fill()
            started = time.perf_counter()
            write_essays(essays)
            say(f"{essays:,} essays written in {time.perf_counter() - started:.0f} s")
        call_command("migrate", verbosity=0)
        if index_again or SearchEntry.objects.count() < Section.objects.count():
            started = time.perf_counter()
            write_entries()
            say(f"{SearchEntry.objects.count():,} sections indexed in {time.perf_counter() - started:.0f} s")
        if index_again or Beginning.objects.filter(shelf=Beginning.Shelf.ARTICLE).count() < essays:
            started = time.perf_counter()
            write_beginnings()
            say(f"{Beginning.objects.count():,} beginnings written in {time.perf_counter() - started:.0f} s")
        stored = Page.objects.filter(slug__startswith="essay-").count()
        if stored != essays:
            raise SystemExit(f"The base holds {stored:,} essays, not {essays:,}. Name another one.")
        gc.collect()
        gc.freeze()  # as the server does
        if odd:
            odd_lines(odd)
            return
        size_line()
        search_lines(library(), runs)
        write_lines()


# --- where the bases are -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def databases(engine: str, folder: Path) -> Iterator[Callable[[int], str]]:
    """Give what gives the address of the base of some essays, in a folder of which PostgreSQL may take a part."""
    if engine == "sqlite":
        yield lambda essays: f"sqlite:///{folder}/search-{essays}.sqlite3"
        return

    import psycopg

    own = folder / "postgresql"
    if not own.exists():
        own.mkdir()
        hand_over(own, unprivileged())
    with cluster_in(need_binaries(), own, SERVER) as server:

        def address(essays: int) -> str:
            url = f"{server.url}_{essays}"
            with psycopg.connect(server.url, dbname="postgres", autocommit=True) as connection:
                if not connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [f"peacekb_{essays}"]
                ).fetchone():
                    connection.execute(f"CREATE DATABASE peacekb_{essays}")
            return url

        yield address


@contextlib.contextmanager
def folder_of(keep: Path | None) -> Iterator[Path]:
    """Give the folder that is kept, or one that goes; PostgreSQL can enter it."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    folder = folder_for(unprivileged())
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--essays", type=int, nargs="*", default=[1_000], help="such as 1000 10000 100000")
    parser.add_argument("--engines", nargs="*", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--runs", type=int, default=40, help="how many different queries a line asks (default: 40)")
    parser.add_argument("--keep", type=Path, help="a folder for the bases; those it holds are measured as they are")
    parser.add_argument("--index-again", action="store_true", help="write the search entries of kept bases again")
    parser.add_argument("--odd", type=int, default=0, help="ask so many odd queries instead; none may fail or take 2 s")
    parser.add_argument("--database", help="measure the one base at this address, an empty one or a kept one")
    options = parser.parse_args()
    if options.database:
        measure_base(
            options.database, options.essays[0], options.runs, index_again=options.index_again, odd=options.odd
        )
        return
    stop_on_signals()
    passed_on = ["--odd", str(options.odd), *(["--index-again"] if options.index_again else [])]
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with folder_of(options.keep) as folder:
        for engine in options.engines:
            with databases(engine, folder) as address:
                for essays in options.essays:
                    say(f"\n=== {engine}, {essays:,} essays")
                    # A process of its own: Django knows one database.
                    command = [sys.executable, __file__, "--database", address(essays), "--essays", str(essays)]
                    subprocess.run([*command, "--runs", str(options.runs), *passed_on], check=True)


if __name__ == "__main__":
    main()
