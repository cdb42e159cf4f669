"""Works of the bibliography by the words of their author, title, document symbol, publisher or year."""

from django.db.models import Exists, OuterRef
from django.utils import timezone

from peacekb.models import Page, Source
from peacekb.text.query import MOST_WORDS, Query

MOST_SHOWN = 3
# Works with the words that are looked at; those that only drafts cite are among them.
_LOOKED_AT = 20


def sources_named(query: Query) -> list[Source]:
    """Give the works that public texts cite and that all the words name; none where those are more than three.

    A bibliography holds hundreds of works where a base holds thousands of texts: all its rows are looked at. At most
    two queries.
    """
    if not query.plain:
        return []
    named = Source.objects.order_by()
    for phrase in [phrase for either in query.telling for phrase in either.phrases][:MOST_WORDS]:
        named = named.filter(keys__contains=f" {' '.join(phrase.keys)} ")
    # Two steps, and who is public is asked of the index: SQLite would begin with all pages of that status.
    keys = list(named.values_list("pk", flat=True)[:_LOOKED_AT])
    if not keys:
        return []
    cited = Page.sources.through.objects.filter(source=OuterRef("pk"))
    citing = cited.filter(page__search_entries__public_from__lte=timezone.now())
    found = Source.objects.filter(Exists(citing), pk__in=keys).order_by("year", "title")
    works = list(found[: MOST_SHOWN + 1])
    return works if len(works) <= MOST_SHOWN else []
