"""Measure composing, publishing, pages and search on a database of its own, each beside a named baseline.

Every line gives, of some runs in milliseconds, the median CPU time of this process, the median and the slowest by the
clock and, where there is a baseline measured in the same run, how many times as long it took by the clock. Nothing
here fails for being slow. The essays are generated, the same ones each time: words of a Zipf vocabulary with names
from the starter library strewn in. Markdown is parsed in another process, whose CPU time is not in the figures.
"""

import argparse
import time

from measuring import ESSAY, Generator, headline, line, own_site

PAGES = ("/", "/articles/", "/articles/diplomacy-in-peacekeeping/", "/roles/mediator/", "/phases/ceasefire/")
LISTS = ("/tags/mediation+reconstruction/", "/search/?q=ceasefire", "/search/?q=ceasefire&tag=mediation")


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
                [f'"{phrases_of("ceasefire")[0].keys[0]}"'],
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
    headline(f"{stop:,} essays: {(stop - start) / seconds:.0f} a second written, published, linked and indexed")


def measure_all(sizes: list[int], runs: int) -> None:
    from peacekb.models import Label

    headline("Composing")
    compose_lines(min(runs, 5))
    headline("The starter library alone")
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
    with own_site():
        measure_all(sorted(options.essays), options.runs)
