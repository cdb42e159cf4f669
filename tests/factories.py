"""Pages as readers meet them, and as editors leave them."""

from datetime import datetime
from itertools import count
from typing import Any

from peacekb.documents import write
from peacekb.models import Article, Claim, Concept, Evidence, Kind, Page, Role, Source, Task
from peacekb.publishing import publish, save_draft
from peacekb.publishing.claims import keep_claim

_numbers = count(1)


def _page(kind: str, **values: Any) -> Page:
    number = next(_numbers)
    published_at = values.pop("published_at", None)
    if isinstance(published_at, datetime):
        published_at = published_at.isoformat()
    document = {"title": f"Page {number}", "source": "A plain text.", **values}
    document.setdefault("slug", "-".join(str(document["title"]).lower().split()) or f"page-{number}")
    if published_at:
        document["published_at"] = published_at
    return write(document, kind)


def published(kind: str, **values: Any) -> Page:
    """A published page of a kind; values are the keys of its document."""
    page = _page(kind, **values)
    publish(page)
    page.refresh_from_db()
    return page


def published_article(**values: Any) -> Article:
    page = published(Kind.ARTICLE, **values)
    assert isinstance(page, Article)
    return page


def draft_article(**values: Any) -> Article:
    page = _page(Kind.ARTICLE, **values)
    save_draft(page)
    assert isinstance(page, Article)
    return page


def published_concept(title: str, *labels: str, **values: Any) -> Concept:
    rows = [*values.pop("label_rows", []), *({"text": label} for label in labels)]
    page = published(Kind.CONCEPT, title=title, labels=rows, **{"source": "Its definition.", **values})
    assert isinstance(page, Concept)
    return page


def published_role(title: str, *labels: str, **values: Any) -> Role:
    page = published(Kind.ROLE, title=title, labels=[{"text": label} for label in labels], **values)
    assert isinstance(page, Role)
    return page


def published_task(title: str, *labels: str, **values: Any) -> Task:
    page = published(Kind.TASK, title=title, labels=[{"text": label} for label in labels], **values)
    assert isinstance(page, Task)
    return page


def published_actor(title: str, **values: Any) -> Page:
    return published(Kind.ACTOR, title=title, **{"type": "state", **values})


def published_operation(title: str, **values: Any) -> Page:
    facts = {"acronym": "UNX", "region": "africa", "start": "1998-02", "end": "2000-07"}
    return published(Kind.OPERATION, title=title, **{**facts, **values})


def published_case(title: str, **values: Any) -> Page:
    facts = {"conflict": "A border war", "region": "africa", "start_year": 1998, "end_year": 2000, "result": "held"}
    return published(Kind.CASE, title=title, **{**facts, **values})


def source(slug: str = "un-charter", **values: Any) -> Source:
    return Source.objects.create(
        slug=slug, **{"type": "treaty", "title": "Charter of the United Nations", "year": 1945, **values}
    )


def claim(article: Page, sentence: str, *evidence: tuple[str, Page | Source, str], **values: Any) -> Claim:
    """A claim of a published article; each piece of evidence is a stance, a page or a work, and a note."""
    made = Claim(article_id=article.pk, sentence=sentence)
    keep_claim(made)
    for stance, thing, note in evidence:
        Evidence.objects.create(
            claim=made, stance=stance, note=note, **{"source" if isinstance(thing, Source) else "page": thing}, **values
        )
    return made
