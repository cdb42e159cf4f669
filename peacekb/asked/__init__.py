"""What readers ask: counted, mended by editors, and checked from then on.

A query counts here when it is words and nothing else. Its words are their index keys in the order in which they stand,
so that case, accents and plurals make no difference; an order is kept, for a name has one.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from peacekb import search
from peacekb.models import Edition, Page, Revision, SearchCheck, SearchQuery, Status
from peacekb.models.prepared import prepared
from peacekb.text.query import Query, Words, read
from peacekb.text.vocabulary import name_key
from peacekb.text.words import folded_words

from .recording import note

__all__ = ["Checked", "asked_often", "checked", "chosen", "mend", "note", "plain_words", "unmend"]

#: Texts of a page of results among which a search that was mended must find its page.
FIRST_TEXTS = 3
_DAYS_OFTEN, _TIMES_OFTEN = 3, 5


def plain_words(asked: str | Query) -> str:
    """Give the words of a query that holds nothing else: no filter, no quotation, nothing unwanted; else nothing."""
    query = read(asked) if isinstance(asked, str) else asked
    return name_key(query.plain) if query.plain and str(query) == query.plain else ""


def asked_often(beginning: str, limit: int) -> list[str]:
    """Give queries that begin so, as readers write them, most asked first: for suggesting them to others.

    They were asked on three days or five times, and found a text then; a search for them finds one now, so that no
    word of theirs tells of an unpublished text. One query, and one for each of at most twice `limit` candidates. New
    ones do not advance the edition: an answer that is kept may lack them.
    """
    if not folded_words(beginning):
        return []
    begins = Q()
    for phrase in Words(beginning, beginning=True).phrases:
        keys = " ".join(phrase.keys)
        begins |= Q(words__startswith=keys) if phrase.beginning else Q(words=keys) | Q(words__startswith=f"{keys} ")
    often = Q(days__gte=_DAYS_OFTEN) | Q(asked__gte=_TIMES_OFTEN)
    candidates = SearchQuery.objects.filter(begins, often, texts__gt=0).values_list("text", flat=True)[: 2 * limit]
    found = (text for text in candidates if search.find(text).hits)
    return list(islice(found, limit))


# --- mending -----------------------------------------------------------------------------------------------------


def chosen(words: str) -> Page | None:
    """Give the public page that editors chose for these very words (see `plain_words`). One query."""
    if not words:
        return None
    return next(iter(_chosen(words=words)), None)


@prepared
def _chosen(*, words: Any) -> QuerySet[Page]:
    checks = {"search_checks__words": words, "search_checks__how": SearchCheck.How.CHOSEN}
    return Page.objects.published().filter(**checks).defer("source").order_by("pk")[:1]


@transaction.atomic
def mend(query: SearchQuery, page: Page, how: str) -> SearchCheck:
    """Keep that a query is to find a page from now on, instead of what was kept of it before."""
    values = {"text": query.text, "page": page, "how": how, "mended_at": timezone.now()}
    before = SearchCheck.objects.filter(words=query.words).first()
    check, _ = SearchCheck.objects.update_or_create(words=query.words, defaults=values)
    if SearchCheck.How.CHOSEN in (how, before and before.how):
        Edition.advance()
    return check


@transaction.atomic
def unmend(check: SearchCheck) -> None:
    """Forget that a query was mended. A name that was added for it stays, and so does a new page."""
    check.delete()
    if check.how == SearchCheck.How.CHOSEN:
        Edition.advance()


# --- checking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What a search that was mended finds first now; `waits` where its mending is a draft that is not published yet."""

    check: SearchCheck
    found: list[Page]
    waits: bool

    @property
    def holds(self) -> bool:
        """Tell whether the page that is expected is among them."""
        return self.check.page in self.found


def checked(check: SearchCheck) -> Checked:
    """Search as a reader does, for what a check says. About ten queries."""
    found = _found_first(check.text)
    return Checked(check, found, waits=check.page not in found and _waits(check))


def _found_first(text: str) -> list[Page]:
    """Give what a page of results shows first: the page that editors chose, the entry of the name, and three texts."""
    answer = search.answer(search.understood(text).meant)
    named, hits = answer.named, answer.found.hits
    texts = list(dict.fromkeys(hit.page for hit in hits))[:FIRST_TEXTS]
    first = chosen(plain_words(text))
    keys = dict.fromkeys([*([first.pk] if first else []), *([named.page] if named else []), *texts])
    pages = Page.objects.published().defer("source").in_bulk(list(keys))
    return [pages[key] for key in keys if key in pages]


def _waits(check: SearchCheck) -> bool:
    """Tell whether a check speaks of a page, or of a name in the newest draft of one, that readers do not have yet."""
    if check.page.status == Status.DRAFT:
        return True
    newest = check.page.revisions.order_by("-number").first()
    if check.how != SearchCheck.How.NAME or newest is None or newest.state != Revision.State.DRAFT:
        return False
    return any(name_key(label["text"]) == check.words for label in newest.content.get("labels", []))
