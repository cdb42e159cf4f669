"""Forks that share out the work of an import or a rebuild."""

import os
import time
from multiprocessing import active_children

import pytest

from peacekb.archive import bring_in
from peacekb.models import Beginning, IndexedWord, Label, Mention, Page, SearchEntry, Section, SectionTree
from peacekb.publishing import rebuild
from peacekb.text import crew
from peacekb.text.crew import each

HERE = os.getpid()
BEGINNING = ("shelf", "beginning", "language", "is_preferred")


def test_forks_give_what_they_make_in_the_order_of_the_pieces():
    made = list(each(lambda piece: (piece * 2, os.getpid()), range(9), forks=2))
    assert [double for double, _ in made] == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert len({pid for _, pid in made}) == 2
    assert HERE not in {pid for _, pid in made}


def test_one_process_asks_for_no_fork():
    assert list(each(lambda _: os.getpid(), range(2), forks=1)) == [HERE, HERE]


def test_what_a_fork_dies_of_is_done_here_and_the_others_are_not():
    def deed(piece: int) -> tuple[int, bool]:
        if piece == 3 and os.getpid() != HERE:
            os._exit(1)
        return piece, os.getpid() == HERE

    assert list(each(deed, range(8), forks=2)) == [(piece, piece == 3) for piece in range(8)]


def test_a_fork_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(crew, "_PATIENCE", 0.2)

    def deed(piece: int) -> bool:
        if piece == 1 and os.getpid() != HERE:
            time.sleep(60)
        return os.getpid() == HERE

    assert list(each(deed, range(3), forks=2)) == [False, True, False]


def test_an_error_in_a_fork_is_raised_here_and_no_fork_is_left():
    def deed(piece: int) -> int:
        if piece == 2:
            raise ZeroDivisionError
        return os.getpid()

    with pytest.raises(ZeroDivisionError):
        list(each(deed, range(5), forks=2))
    assert not active_children()


def derived() -> list[list[tuple]]:
    place = ("section__page__slug", "section__position")
    mention = ("start", "end", "in_heading", "target__slug", "label__text", "linked", "wanted", "sentence", "following")
    return [
        list(Section.objects.order_by("page__slug", "position").values_list("page__slug", "html", "text", "anchor")),
        list(SectionTree.objects.order_by(*place).values_list("written")),
        list(Mention.objects.order_by(*place, "-in_heading", "start").values_list(*place, *mention)),
        list(SearchEntry.objects.order_by(*place).values_list("page__slug", "public_from", "facts", "digest")),
        list(IndexedWord.objects.order_by("word").values_list("word", "ending")),
        list(Beginning.objects.order_by("page__slug", "tag__slug", *BEGINNING).values_list("page__slug", *BEGINNING)),
        list(Label.objects.order_by("page__slug", "text").values_list("page__slug", "text", "key")),
    ]


def keys() -> list[list[int]]:
    return [list(model.objects.order_by("pk").values_list("pk", flat=True)) for model in (Section, Mention)]


@pytest.mark.django_db
def test_an_import_by_forks_makes_the_rows_that_one_process_makes(tmp_path):
    (tmp_path / "concepts").mkdir()
    front = "title: Truce\nslug: truce\ntags: [peace]\npublished_at: 2026-01-01"
    (tmp_path / "concepts" / "truce.md").write_text(f"---\n{front}\n---\n\nIts text.\n")
    for number in range(60):
        text = f"A truce.\n\n## Part\n\nAnother truce, [[essay-{(number + 1) % 60}]] and [[nothing]].\n" * 3
        text = "x [" * 700 if number == 7 else text
        front = f"title: Essay {number}\nslug: essay-{number}\ntags: [peace, b]\npublished_at: 2026-01-01"
        (tmp_path / f"{number}.md").write_text(f"---\n{front}\n---\n\n{text}")
    made = []
    for forks in (1, 2):
        Page.objects.all().delete()
        report = bring_in([tmp_path], forks=forks)
        assert len(report.created) == 60
        (refused,) = report.refused
        assert (refused.path, refused.line) == (str(tmp_path / "7.md"), 8)
        made.append(derived())
        assert len(bring_in([tmp_path], forks=forks).unchanged) == 60
    assert all(made[0])
    assert made[0] == made[1]
    before = keys()
    list(rebuild(forks=2))
    assert derived() == made[1]
    assert keys() == before
