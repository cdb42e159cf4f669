"""The linker against texts that a person annotated before it was run on them, with the names of the starter library."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from peacekb.text.compose import compose
from peacekb.text.vocabulary import Name, Vocabulary

ROOT = Path(__file__).resolve().parent.parent
GOLD = Path(__file__).parent / "data" / "linker_gold.yaml"

Found = tuple[str, str | None, str]  # surface, target, status


@pytest.fixture(scope="module")
def library() -> tuple[Vocabulary, dict[int, str]]:
    """The names of the starter library, and the page that each number means."""
    names: list[Name] = []
    pages: dict[int, str] = {}
    for number, path in enumerate(sorted(ROOT.glob("fixtures/[crt]*/*.md"))):
        front = yaml.safe_load(path.read_text(encoding="utf-8").split("\n---\n")[0])
        pages[number] = f"{path.parent.name.removesuffix('s')}:{front['slug']}"
        names += [
            Name(
                number,
                row["text"],
                f"/{path.parent.name}/{front['slug']}/",
                row.get("language", "en"),
                case_sensitive=row.get("case_sensitive", False),
                ambiguous=row.get("ambiguous", False),
            )
            for row in [{"text": front["title"]}, *front.get("labels", [])]
        ]
    return Vocabulary(names), pages


def annotated() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = yaml.safe_load(GOLD.read_text(encoding="utf-8"))
    return items


def found_in(item: dict[str, Any], vocabulary: Vocabulary, pages: dict[int, str]) -> list[Found]:
    found = []
    for section in compose(item["text"], vocabulary, language=item["language"]).sections:
        for mention in section.mentions:
            text = section.heading if mention.in_heading else section.text
            status = "linked" if mention.linked else "unresolved" if mention.target is None else "unlinked"
            target = None if mention.target is None else pages[mention.target]
            found.append((shown(text[mention.start : mention.end]), target, status))
    return found


def shown(surface: str) -> str:
    return re.sub(r"\s+", " ", surface.replace("\u00ad", "")).strip()


def test_links_are_those_that_a_careful_editor_would_make(library):
    vocabulary, pages = library
    wrong, missed, right = [], [], 0
    for item in annotated():
        wanted = [tuple(row) for row in item["mentions"]]
        found = found_in(item, vocabulary, pages)
        links = [one for one in found if one[2] == "linked"]
        expected = [one for one in wanted if one[2] == "linked"]
        for one in links:
            if one in expected:
                expected.remove(one)
                right += 1
            else:
                wrong.append((item["id"], one))
        missed += [(item["id"], one) for one in expected]
    assert right / (right + len(wrong)) >= 0.99, wrong
    assert right / (right + len(missed)) >= 0.97, missed


def test_every_occurrence_is_found_in_the_order_of_the_text(library):
    vocabulary, pages = library
    different = []
    total = 0
    for item in annotated():
        wanted = [tuple(row) for row in item["mentions"]]
        found = found_in(item, vocabulary, pages)
        total += len(wanted)
        different += [(item["id"], "missed", one) for one in wanted if one not in found]
        different += [(item["id"], "found", one) for one in found if one not in wanted]
    assert len(different) <= total * 0.02, different
