"""Claims: where the sentence of each stands in its article now, and what editors do with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Max

from peacekb.models import Claim, Edition, Kind, Page, Section
from peacekb.models.many import write_fields
from peacekb.text.cutting import solid, solid_in_html
from peacekb.text.sentences import most_alike, on_one_line, sentence_spans

_DERIVED = ("section", "paragraph", "end", "has_changed", "similar")


class _Place(NamedTuple):
    section: Section
    paragraph: int | None
    end: int


class Sentences:
    """The sentences of a text, without those of its headings and notes. One query, unless its sections are given."""

    def __init__(self, article: Page | int, sections: Iterable[Section] | None = None) -> None:
        if sections is None:
            sections = Section.objects.filter(page=article).order_by("position")
        self._places: dict[str, _Place] = {}
        for section in sections:
            for sentence, place in _sentences(section):
                self._places.setdefault(sentence, place)

    def __contains__(self, sentence: str) -> bool:
        return sentence in self._places

    def nearest(self, sentence: str) -> str:
        """Give the sentence that another one is most like; empty where none is."""
        return most_alike(sentence, self._places)

    def place(self, claim: Claim) -> bool:
        """Say in a claim where its sentence stands; gives whether that is news."""
        before = [getattr(claim, name) for name in _DERIVED]
        found = self._places.get(claim.sentence)
        claim.has_changed = found is None
        if found is None:
            claim.section, claim.paragraph, claim.end = None, None, 0
            claim.similar = self.nearest(claim.sentence)
        else:
            claim.section, claim.paragraph, claim.end = found
            claim.similar = ""
        return before != [getattr(claim, name) for name in _DERIVED]


def _sentences(section: Section) -> Iterator[tuple[str, _Place]]:
    # Behind it come the notes.
    length = solid_in_html(section.html)
    count = 0
    for start, end in sentence_spans(section.text):
        sentence = section.text[start:end]
        count += solid(sentence)
        if count > length:
            return
        yield on_one_line(sentence), _Place(section, section.paragraph_at(start), count)


def place_claims(composed: Mapping[Page, Sequence[Section]]) -> None:
    """Find the sentences of claims again in pages that were just composed. One query, two where one has moved."""
    articles = {page.pk: sections for page, sections in composed.items() if page.kind == Kind.ARTICLE}
    if not articles:
        return
    known: dict[int, Sentences] = {}
    moved = []
    for claim in Claim.objects.filter(article__in=articles).select_related("section").order_by("pk"):
        article = claim.article_id
        if article not in known:
            known[article] = Sentences(article, articles[article])
        if known[article].place(claim):
            moved.append(claim)
    write_fields(moved, *_DERIVED)


def keep_claim(claim: Claim) -> None:
    """Store a claim as an editor has it, with the next number of its article if it is new, and find its sentence.

    Must run inside a transaction that has taken its turn.
    """
    claim.sentence = on_one_line(claim.sentence)
    if not claim.number:
        last = Claim.objects.filter(article=claim.article_id).aggregate(last=Max("number"))["last"]
        claim.number = (last or 0) + 1
    Sentences(claim.article_id).place(claim)
    claim.save()
    Edition.advance()
