"""Measure the linker: finding names, linking against rendering, hostile texts, and a new name in a large base.

Every line gives, of some runs in milliseconds, the median CPU time of this process, the median and the slowest by the
clock, and how many times the CPU time of a baseline from the same run it took. Nothing here fails for being slow.
Labels are those of the starter library, then generated ones of one to four words, none of the 200 commonest words
among them; one word in 25 of a text is, or begins, a name. Needs what requirements-dev.lock holds.
"""

import argparse
import gc
import multiprocessing
import random
import re
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

from large_base import ORIGINALS, check_base, copy_essays, publish_originals, store_names
from measuring import ARABIC, ESSAY, FRENCH, LATIN, Generator, Times, headline, line, measure, own_site, show

if TYPE_CHECKING:
    from peacekb.text.vocabulary import Name

SIZES = (100, 1_000, 10_000, 100_000)
MOST_FOR_A_PATTERN = 10_000  # labels times megabytes: a regular expression then takes the better part of a minute
STATM = Path("/proc/self/statm")
Answer = TypeVar("Answer")
cpu_line = partial(line, by="cpu")


# --- labels ------------------------------------------------------------------------------------------------------


def names_of(labels: list[str]) -> "list[Name]":
    from peacekb.text.vocabulary import Name

    return [Name(number, text, f"/concepts/{number}/", label=number) for number, text in enumerate(labels)]


def make_vocabulary(labels: list[str]) -> Any:
    from peacekb.text.vocabulary import Vocabulary

    return Vocabulary(names_of(labels))


def make_automaton(labels: list[str]) -> Any:
    from ahocorasick_rs import AhoCorasick

    return AhoCorasick([label.casefold() for label in labels])


def make_pattern(labels: list[str]) -> Any:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(labels, key=len, reverse=True)))})\b", re.IGNORECASE)


# --- memory, and what a process of its own finds -----------------------------------------------------------------


def in_new_process(deed: Callable[..., Answer], *arguments: Any) -> Answer:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(deed, *arguments).result()


def resident() -> int:
    """Return the bytes of memory that this process holds; 0 where the system has no such file."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * resource.getpagesize() if STATM.exists() else 0


def weight_of(make: Callable[[list[str]], Any], labels: list[str]) -> int:
    make(labels[:10])  # what is imported is not part of it
    before = resident()
    made = make(labels)
    return resident() - before if made else 0


def take_stored_vocabulary() -> tuple[Times, Times, Times, int]:
    """Ask for the stored names as a new server process would: the first time, again, and after a page has changed."""
    import django

    django.setup()

    from django.db import transaction

    from peacekb.models import Page, Revision
    from peacekb.publishing import vocabulary

    with transaction.atomic():
        pages = list(Page.objects.filter(kind="concept").order_by("-pk")[:10])
        before = resident()
        first = measure(vocabulary, 1, warm=False)
        bytes_held = resident() - before
        again = measure(vocabulary, 20)
        changed = []
        for page in pages:
            Revision.objects.create(page=page, number=1_000, content={}, state=Revision.State.PUBLISHED)
            changed.append(measure(vocabulary, 1, warm=False))
        transaction.set_rollback(True)
    return first, again, sorted(changed)[len(changed) // 2], bytes_held


# --- A: finding --------------------------------------------------------------------------------------------------


def building_lines(labels: list[str], runs: int) -> None:
    headline(f"Building, {len(labels):,} labels")
    made: list[tuple[str, Times]] = []
    makers = [("ahocorasick-rs", make_automaton), ("Vocabulary", make_vocabulary)]
    if len(labels) <= MOST_FOR_A_PATTERN:
        makers.insert(1, ("regular expression", make_pattern))
    for name, make in makers:

        def deed(make: Callable[[list[str]], Any] = make) -> None:
            re.purge()
            make(labels)

        made.append((name, cpu_line(name, deed, runs, *made)))
        held = in_new_process(weight_of, make, labels)
        print(f"  holds {held / 1e6:.1f} MB, {held / len(labels):,.0f} bytes a label beside its text")


def finding_lines(labels: list[str], text: str, title: str, runs: int, language: str | None = "en") -> None:
    vocabulary, automaton = make_vocabulary(labels), make_automaton(labels)
    found = len(vocabulary.matches(text, language))
    headline(f"Finding {len(labels):,} labels in {len(text) / 1e6:g} MB {title}: {found:,} found")

    def scan() -> None:
        automaton.find_matches_as_indexes(text.casefold(), overlapping=True)

    bare = cpu_line("ahocorasick-rs, all overlaps, no rules", scan, runs)
    baselines = [("ahocorasick-rs", bare)]
    if len(labels) * len(text) <= MOST_FOR_A_PATTERN * 1_000_000:
        pattern = make_pattern(labels)
        once = measure(lambda: sum(1 for _ in pattern.finditer(text)), 1, warm=False)
        baselines.append(("regular expression", show("regular expression (one run)", once, *baselines, by="cpu")))
    else:
        print("regular expression: not measured, it takes minutes")
    cpu_line("Vocabulary.matches", lambda: vocabulary.matches(text, language), runs, *baselines)


def stored_lines() -> None:
    from peacekb.models import Label

    count = Label.objects.count()
    first, again, changed, held = in_new_process(take_stored_vocabulary)
    headline(f"How a process gets {count:,} stored labels")
    show("publishing.vocabulary(), the first time", first)
    print(f"  holds {held / 1e6:.1f} MB, {held / count:,.0f} bytes a label")
    show("the same, nothing has changed", again, ("the first time", first), by="cpu")
    show("the same, one page has changed", changed, ("the first time", first), by="cpu")


# --- B: linking against rendering --------------------------------------------------------------------------------


def in_turn(runs: int, *deeds: Callable[[], object]) -> list[Times]:
    """Measure some deeds one after the other, again and again, so that what else the machine does meets all of them."""
    for deed in deeds:
        deed()
    rounds = [[measure(deed, 1, warm=False) for deed in deeds] for _ in range(runs)]
    return [
        Times(median(one.cpu for one in times), median(one.wall for one in times), max(one.wall for one in times))
        for times in zip(*rounds, strict=True)
    ]


def rendering_lines(title: str, source: str, labels: list[str], runs: int) -> None:
    import markdown

    from peacekb.text.compose import compose, link_again
    from peacekb.text.vocabulary import Vocabulary

    vocabulary, none = make_vocabulary(labels), Vocabulary()
    mentions = sum(len(section.mentions) for section in compose(source, vocabulary).sections)
    headline(f"Rendering {len(source) / 1000:.0f} KB, {title}: {mentions:,} mentions")
    parser = markdown.Markdown(extensions=["tables", "footnotes", "def_list", "sane_lists", "fenced_code"])
    trees = [section.tree for section in compose(source, none).sections]
    bare, without, linked, again = in_turn(
        runs,
        lambda: parser.reset().convert(source),
        lambda: compose(source, none),
        lambda: compose(source, vocabulary),
        lambda: [link_again(tree, vocabulary) for tree in trees],
    )
    show("Python-Markdown alone", bare)
    show("compose, no names: rendering", without, ("Python-Markdown", bare), by="cpu")
    baselines = ("Python-Markdown", bare), ("rendering", without)
    show(f"compose, {len(labels):,} labels", linked, *baselines, by="cpu")
    show("link_again, the same from stored trees", again, *baselines, by="cpu")
    print("  rendering: from Markdown to numbered sections of safe HTML and their stored trees, with no name known")
    print(f"  linking adds {(linked.cpu - without.cpu) / without.cpu:.1%} of that (goal: less than a third)")


# --- C: hostile texts --------------------------------------------------------------------------------------------


def hostile_lines(runs: int) -> None:
    from peacekb.text.compose import compose
    from peacekb.text.markdown_tree import TextRefused
    from peacekb.text.vocabulary import Vocabulary

    def refused(source: str) -> None:
        try:
            compose(source, Vocabulary())
        except TextRefused:
            return
        raise AssertionError("nobody refused this text")

    def twice(title: str, deed: Callable[[str, Any], object], labels: list[str], word: str, count: int) -> None:
        vocabulary = make_vocabulary(labels)
        half = cpu_line(f"{title}, {len(word) * count / 1000:.0f} KB", lambda: deed(word * count, vocabulary), runs)
        cpu_line(f"{title}, twice as long", lambda: deed(word * count * 2, vocabulary), runs, ("half of it", half))

    def find(text: str, vocabulary: Any) -> None:
        vocabulary.matches(text, "en")

    headline("Hostile texts")
    twice("compose: one label over and over", compose, ["ceasefire"], "ceasefire ", 20_000)
    twice("compose: a line of 50,000 words", compose, ["word"], "line ", 50_000)
    twice("matches: “a a a a b” in “a a a …”", find, ["a a a a b"], "a ", 100_000)
    twice("matches: 99 times a, then b", find, ["a " * 99 + "b"], "a ", 100_000)
    twice("matches: 0 to 99 times a, then b", find, ["a " * many + "b" for many in range(100)], "a ", 100_000)
    twice("refusing brackets", lambda text, _: refused(text), [], "[", 50_000)


# --- D: a new name in a large base -------------------------------------------------------------------------------


def read_until(slugs: list[str], stop: Any, answers: Any) -> None:
    """Fetch article pages, one after the other, until told to stop; sends “ready” first and the times last."""
    import django

    django.setup()

    from django.test import Client

    client, times, chance = Client(headers={"host": "127.0.0.1"}), [], random.Random(1)  # noqa: S311
    client.get(f"/articles/{slugs[0]}/")
    answers.put("ready")
    while not stop.is_set():
        slug = chance.choice(slugs)
        times.append(measure(partial(client.get, f"/articles/{slug}/"), 1, warm=False))
    answers.put(times)


@contextmanager
def reader(slugs: list[str], name: str) -> Iterator[None]:
    """Let another process read meanwhile, and print its line at the end."""
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.SimpleQueue()
    process = context.Process(target=read_until, args=(slugs, stop, answers))
    process.start()
    answers.get()
    yield
    stop.set()
    times = sorted(answers.get())
    process.join()
    walls = sorted(one.wall for one in times)
    show(name, Times(times[len(times) // 2].cpu, walls[len(walls) // 2], walls[-1]))
    print(f"  {len(times):,} pages")


def new_name_lines(phrase: str, size: int, expected: int) -> None:
    from django.db import transaction

    from peacekb.documents import write
    from peacekb.models import Mention, Page
    from peacekb.publishing import publish

    articles = Page.objects.filter(slug__contains="-copy-")
    slugs = list(articles.values_list("slug", flat=True).order_by("slug")[:: max(1, size // 200)])
    headline(f"A new name in {size:,} essays")
    with reader(slugs, "an article page, nothing else going on"):
        time.sleep(3)
    recomposed: tuple[int, ...] = ()

    def deed() -> None:
        nonlocal recomposed
        with transaction.atomic():
            recomposed = publish(write({"title": phrase, "slug": phrase.replace(" ", "-")}, "concept")).recomposed

    with reader(slugs, "an article page meanwhile"):
        times = measure(deed, 1, warm=False)
    show(f"publish a concept named in {expected:,} of them", times)
    holding = set(Mention.objects.filter(target__title=phrase).values_list("section__page_id", flat=True))
    if not (len(recomposed) == len(holding) == expected and set(recomposed) == holding):
        raise AssertionError(
            f"{len(recomposed):,} pages were linked again, and not the {expected:,} that hold the name"
        )
    print(f"  {expected:,} pages linked again and no other: {expected / times.cpu * 1000:.0f} a second and core")


def steps_lines(phrase: str, expected: int) -> None:
    """Move the page of that name to another address: every link to it changes, in steps that lock the base briefly."""
    from peacekb.documents import document_of
    from peacekb.models import Page
    from peacekb.publishing import changes, staging
    from peacekb.publishing.proposals import of_names

    page = Page.objects.get(title=phrase)
    change = changes.apply(of_names(page, {**document_of(page), "slug": f"{page.slug}-moved"}))
    if change.state == change.State.DONE:
        return  # so few sections are changed at once, which was measured above
    steps: list[Times] = []
    answers: list[bool] = []
    while not any(answers):
        steps.append(measure(lambda: answers.append(staging.proceed(change, seconds=0)), 1, warm=False))
    cpu, wall = sum(step.cpu for step in steps), sum(step.wall for step in steps)
    show(f"move its page, in {len(steps)} steps", Times(cpu, wall, max(step.wall for step in steps)))
    print(f"  {expected / cpu * 1000:.0f} pages a second and core; readers see all of it after the longest step")


def base_lines(sizes: list[int], labels: list[str]) -> None:
    phrases = [(f"zephyr corridor {size}", 10 if size <= 10_000 else 100) for size in sizes]
    publish_originals(Generator(labels), phrases)
    stored = 1
    for size, (phrase, one_in) in zip(sizes, phrases, strict=True):
        started = time.perf_counter()
        if size // ORIGINALS > stored:
            copy_essays(stored, size // ORIGINALS)
        stored = size // ORIGINALS
        check_base(stored * ORIGINALS)
        print(f"\n{stored * ORIGINALS:,} essays made and checked in {time.perf_counter() - started:.0f} s")
        new_name_lines(phrase, stored * ORIGINALS, stored * ORIGINALS // one_in)
        steps_lines(phrase, stored * ORIGINALS // one_in)


def parse_here(source: str) -> Any:
    from peacekb.text.markdown_tree import parse

    return parse(source)


def measure_all(sizes: list[int], parts: str, runs: int) -> None:
    from peacekb.models import Label

    def known(language: str) -> list[str]:
        return list(Label.objects.filter(language=language).order_by("pk").values_list("text", flat=True))

    labels = Generator([]).labels(known("en"), SIZES[-1])
    stored = len(set(known("en")))
    few = min(runs, 3)
    if "A" in parts:
        for count in SIZES:
            building_lines(labels[:count], few)
        for megabytes in (1, 10):
            for count in SIZES:
                text = Generator(labels[:count]).text(megabytes * 1_000_000)
                finding_lines(labels[:count], text, "of English", runs if megabytes == 1 else few)
        more = [(labels[:4_000], LATIN)]
        for language, letters in (("fr", FRENCH), ("ar", ARABIC)):
            more.append((Generator([], letters).labels(known(language), 3_000), letters))
        mixed = "\n\n".join(Generator(own, letters).text(333_332) for own, letters in more)
        finding_lines([label for own, _ in more for label in own], mixed, "of English, French and Arabic", runs, None)
    if "B" in parts:
        some, body = labels[:10_000], ESSAY.read_text(encoding="utf-8").split("\n---\n", 1)[1]
        rendering_lines("one name in 25 words", Generator(some).text(100_000), some, runs)
        rendering_lines("the library's essay repeated", (body + "\n\n") * (100_000 // len(body) + 1), some, runs)
    if "C" in parts:
        hostile_lines(few)
    if "A" in parts or "D" in parts:
        stored_lines()
        store_names(labels[stored:10_000])
        stored_lines()
    if "D" in parts:
        base_lines(sizes, labels[:10_000])
    if "A" in parts:
        store_names(labels[10_000:])
        stored_lines()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="how often most things are done (default: 7)")
    parser.add_argument(
        "--essays", type=int, nargs="*", default=[1_000], help="sizes of the base, rising, such as 1000 10000 100000"
    )
    parser.add_argument(
        "--parts", default="ABCD", help="A finding, B rendering, C hostile texts, D a new name (default: ABCD)"
    )
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL database, in place of SQLite")
    options = parser.parse_args()
    # Markdown is parsed by another process else, and its CPU time would be in no figure.
    with own_site(options.database), patch("peacekb.text.compose.parse_within", parse_here):
        measure_all(sorted(options.essays), options.parts.upper(), options.runs)
