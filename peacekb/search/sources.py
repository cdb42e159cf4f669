"""Works of the bibliography by the words of their author, title, document symbol, publisher or year."""

from peacekb.models import Page, Source
from peacekb.text.query import MOST_WORDS, Query

MOST_SHOWN = 3


def sources_named(query: Query) -> list[Source]:
    """Give the works that public texts cite and that all the words name; none where those are more than three.

    A bibliography holds hundreds of works where a base holds thousands of texts: all rows are looked at. One query.
    """
    if not query.plain:
        return []
    phrases = [phrase for either in query.telling for phrase in either.phrases][:MOST_WORDS]
    found = Source.objects.filter(pages__in=Page.objects.published()).distinct()
    for phrase in phrases:
        found = found.filter(keys__contains=f" {' '.join(phrase.keys)} ")
    works = list(found.order_by("year", "title")[: MOST_SHOWN + 1])
    return works if len(works) <= MOST_SHOWN else []
