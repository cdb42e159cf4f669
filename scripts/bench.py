"""Measure composing, publishing, pages and search on a database of its own, each beside a named baseline.

Every line gives the median and the slowest of some runs in milliseconds and, where there is a baseline measured in the
same run, how many times as long it took. Nothing here fails for being slow. The essays are generated, the same ones
each time: words of a Zipf vocabulary with names from the starter library strewn in.
"""

import argparse
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ESSAY = ROOT / "fixtures" / "essays" / "diplomacy-in-peacekeeping.md"
PAGES = ("/", "/articles/", "/articles/diplomacy-in-peacekeeping/", "/roles/mediator/", "/phases/ceasefire/")
LISTS = ("/tags/mediation+reconstruction/", "/search/?q=ceasefire", "/search/?q=ceasefire&tag=mediation")
WORDS_AN_ESSAY = 800


def measure(deed: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the median and the slowest of some runs in milliseconds; a first one fills caches."""
    deed()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        deed()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), max(times)


def line(name: str, deed: Callable[[], object], runs: int, baseline: tuple[str, float] | None = None) -> float:
    median, slowest = measure(deed, runs)
    ratio = f"{median / baseline[1]:>8.1f} x {baseline[0]}" if baseline else ""
    print(f"{name:<48} {median:>9.1f} {slowest:>9.1f} {ratio}", flush=True)
    return median


class Generator:
    """Makes essays, the same ones for the same numbers."""

    def __init__(self, names: list[str]) -> None:
        chance = random.Random(2026)  # noqa: S311  repeatable on purpose
        letters = "abcdefghijklmnoprstuvw"
        self.words = ["".join(chance.choices(letters, k=chance.randint(3, 10))) for _ in range(40_000)]
        self.weights = [1 / (rank + 10) for rank in range(len(self.words))]
        self.names = names
        self.tags = [f"topic {number}" for number in range(40)] + ["mediation", "reconstruction", "human rights"]

    def essay(self, number: int) -> dict[str, Any]:
        chance = random.Random(number)  # noqa: S311
        words = chance.choices(self.words, weights=self.weights, k=WORDS_AN_ESSAY)
        for place in range(0, WORDS_AN_ESSAY, 25):
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


def compose_lines(runs: int) -> None:
    import markdown

    from peacekb.publishing import vocabulary
    from peacekb.text.compose import compose
    from peacekb.text.vocabulary import Vocabulary

    body = ESSAY.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    source = (body + "\n\n") * (100_000 // len(body) + 1)
    extensions = ["tables", "footnotes", "def_list", "sane_lists", "fenced_code"]
    names = vocabulary()
    bare = line("Python-Markdown alone, 100 KB", lambda: markdown.markdown(source, extensions=extensions), runs)
    line("compose, no names", lambda: compose(source, Vocabulary()), runs, ("Python-Markdown", bare))
    line("compose, names of the starter library", lambda: compose(source, names), runs, ("Python-Markdown", bare))


def grown_lines(essays: int, runs: int) -> None:
    from django.db import connection
    from django.test import Client

    from peacekb.documents import document_of, write
    from peacekb.models import Page
    from peacekb.publishing import publish
    from peacekb.search import phrases_of, search

    client = Client(headers={"host": "127.0.0.1"})
    for address in (*PAGES, *LISTS):
        status = client.get(address).status_code
        line(f"{status} {address}", lambda address=address: client.get(address), runs)  # type: ignore[misc]

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rowid FROM peacekb_fulltext WHERE peacekb_fulltext MATCH %s ORDER BY rank LIMIT 20",
                [f'"{phrases_of("ceasefire")[0][0]}"'],
            )
            cursor.fetchall()

    if connection.vendor == "sqlite":
        alone = line("FTS5 alone, one word, best 20", bare, runs)
        line("search(), one word, best 20", lambda: list(search("ceasefire")[:20]), runs, ("FTS5", alone))
    article = Page.objects.get(slug="diplomacy-in-peacekeeping")
    counter = iter(range(10_000))

    def change_text() -> None:
        document = document_of(article)
        document["source"] += f"\n\nA changed text, number {next(counter)}."
        publish(write(document, article.kind, article))

    line("publish one changed essay", change_text, min(runs, 5))
    concept = Page.objects.get(kind="concept", slug="ceasefire")
    touched = 0

    def change_label() -> None:
        nonlocal touched
        document = document_of(concept)
        document["labels"] = [*document["labels"], {"text": f"silence {next(counter)}"}, {"text": "topmost"}]
        document["labels"] = [row for row in document["labels"] if row["text"] != "topmost" or next(counter) % 2]
        touched = len(publish(write(document, concept.kind, concept)).recomposed)

    line("publish a concept with a name that is nowhere", change_label, min(runs, 5))
    print(f"  ({touched} pages were composed again; {essays:,} essays stored)")


def grow(generator: Generator, start: int, stop: int) -> None:
    from django.db import transaction

    from peacekb.documents import write
    from peacekb.publishing import publish_many

    started = time.perf_counter()
    for place in range(start, stop, 200):
        with transaction.atomic():
            publish_many([write(generator.essay(number), "article") for number in range(place, min(place + 200, stop))])
    seconds = time.perf_counter() - started
    print(f"\n{stop:,} essays: {(stop - start) / seconds:.0f} a second written, published, linked and indexed")


def measure_all(sizes: list[int], runs: int) -> None:
    import django

    django.setup()

    from django.core.management import call_command

    from peacekb.models import Label

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("seed", stdout=nowhere)
    print(f"{'':<48} {'median':>9} {'slowest':>9}   ms")
    compose_lines(min(runs, 5))
    print("\nThe starter library alone")
    grown_lines(1, runs)
    generator = Generator(list(Label.objects.filter(language="en").values_list("text", flat=True)))
    stored = 0
    for size in sizes:
        grow(generator, stored, size)
        stored = size
        grown_lines(size, runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="how often each thing is done (default: 20)")
    parser.add_argument(
        "--essays", type=int, nargs="*", default=[1_000], help="sizes of the base, rising, such as 1000 10000 100000"
    )
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="peacekb-bench-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "peacekb.settings",
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "DEBUG": "off",
            "LOG_LEVEL": "ERROR",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "SITE_URL": "http://127.0.0.1:8000",
            "STATIC_ROOT": f"{folder}/static",
        }
        measure_all(sorted(options.essays), options.runs)
