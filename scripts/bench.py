"""Measure composing, publishing, pages and search on a database of its own, each beside a named baseline.

Every line gives, of some runs in milliseconds, the median CPU time of this process, the median and the slowest by the
clock and, where there is a baseline measured in the same run, how many times as long it took by the clock. Nothing
here fails for being slow. The essays are generated, the same ones each time: words of a Zipf vocabulary with names
from the starter library strewn in. Markdown is parsed in another process, whose CPU time is not in the figures, but for
those of the import.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from measuring import ESSAY, Generator, headline, line, own_site

PAGES = ("/", "/articles/", "/articles/diplomacy-in-peacekeeping/", "/roles/mediator/", "/phases/ceasefire/")
EXTENSIONS = ["tables", "footnotes", "def_list", "sane_lists", "fenced_code"]
WORDS_OF_5_KB = 650
LISTS = ("/tags/mediation+reconstruction/", "/search/?q=ceasefire", "/search/?q=ceasefire&tag=mediation")


def compose_lines(runs: int) -> None:
    import markdown

    from peacekb.publishing import vocabulary
    from peacekb.text.compose import compose
    from peacekb.text.vocabulary import Vocabulary

    body = ESSAY.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    source = (body + "\n\n") * (100_000 // len(body) + 1)
    names = vocabulary()
    bare = line("Python-Markdown alone, 100 KB", lambda: markdown.markdown(source, extensions=EXTENSIONS), runs)
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
    """Import essays of 5 KB from files, as `manage.py import` does, beside Python-Markdown alone for the same texts."""
    import markdown

    from peacekb.archive import bring_in, markdown_file
    from peacekb.text.crew import cores

    with tempfile.TemporaryDirectory(prefix="peacekb-essays-") as name:
        for number in range(start, stop):
            file = Path(name, f"{number}.md")
            file.write_text(markdown_file(generator.essay(number, length=WORDS_OF_5_KB)), encoding="utf-8")
        before, started = cpu_seconds(), time.perf_counter()
        bring_in([Path(name)], forks=cores())
        seconds, spent = time.perf_counter() - started, cpu_seconds() - before
    texts = [generator.essay(number, length=WORDS_OF_5_KB)["source"] for number in range(start, min(stop, start + 200))]
    started = time.process_time()
    for text in texts:
        markdown.markdown(text, extensions=EXTENSIONS)
    alone = len(texts) / (time.process_time() - started)
    headline(f"{stop:,} essays")
    each = (stop - start) / spent
    print(f"  imported, published, linked and indexed by {cores()} processes: {(stop - start) / seconds:.0f} a second")
    print(f"  a second of one core: {each:.0f}; Python-Markdown alone {alone:.0f}, {alone / each:.1f} times as many")


def cpu_seconds() -> float:
    """Give the CPU time of this process and of those that it started and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


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
