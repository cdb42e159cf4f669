"""Which searches are counted, and what is kept of their answers."""

from typing import Any

from django.conf import settings
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse

from peacekb import asked
from peacekb.models import is_poor

from .results import Question


def words_asked(question: Question, listing: Page[Any]) -> str:
    """Give the words of a search as somebody types it; nothing for further pages, and for words with filters.

    Those are links of the first page, which people and crawlers follow, and say nothing more of what is looked for.
    """
    is_first = listing.number == 1 and not question.filters()
    return asked.plain_words(question.understood.written) if is_first else ""


def counted(
    request: HttpRequest, response: HttpResponse, question: Question, words: str, *, texts: int, named: bool
) -> HttpResponse:
    """Count a search, and let the answer to one that found little be made anew each time, so that each is counted.

    The searches of those who edit are not: they try out what readers meet.
    """
    if words and settings.SESSION_COOKIE_NAME not in request.COOKIES:
        asked.note(words, question.text, texts=texts, named=named)
        if settings.KEEP_SEARCHES and is_poor(texts, named=named):
            response["Cache-Control"] = "no-cache"
    return response
