"""What readers search, counted without a person: in the memory of each process, and seconds later in the database.

A search neither waits for the database here nor fails with it: a thread of its own writes what was counted meanwhile,
in one short transaction, and drops it where the database is locked or away. Answers that the page store keeps are not
asked again, so a search that found enough counts once for as long as its answer is kept; one that found little is never
kept (see `peacekb.pages.asking`), and counts each time.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from threading import Lock, Thread, main_thread

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection, transaction
from django.utils import timezone

from peacekb.models import SearchQuery

#: Seconds between the first of some searches and the moment at which they are written.
WRITE_AFTER = 5.0
#: Different queries that a process remembers until then; more are not counted.
MOST_REMEMBERED = 1_000
#: Different queries in the database.
MOST_KEPT = 20_000
#: Characters of a query. Longer ones were pasted, and may be a letter to somebody.
LONGEST = 100
_PATIENCE = 2_000  # milliseconds that the writing thread waits for a lock
_LOOK_EVERY = 0.25  # seconds
_YEARS = re.compile(r"\b(?:1\d|20)\d\d\b")
_LONG_NUMBER = re.compile(r"\d(?:[\s().+-]*\d){6}")
# Written out, for by the ORM a thousand take seconds. The spelling with a majority leads at the end, by one number
# alone: the vote of Boyer and Moore.
_ADD = """
INSERT INTO peacekb_searchquery AS known
    (words, text, lead, texts, named, asked, days, first_day, last_day, dismissed)
VALUES (%s, %s, %s, %s, %s, %s, 1, %s, %s, false)
ON CONFLICT (words) DO UPDATE SET
    text = CASE WHEN known.lead < excluded.lead THEN excluded.text ELSE known.text END,
    lead = CASE WHEN known.text = excluded.text THEN known.lead + excluded.lead
        ELSE abs(known.lead - excluded.lead) END,
    texts = excluded.texts,
    named = excluded.named,
    asked = known.asked + excluded.asked,
    days = known.days + CASE WHEN known.last_day < excluded.last_day THEN 1 ELSE 0 END,
    last_day = excluded.last_day
"""

log = logging.getLogger(__name__)


def may_keep(text: str) -> bool:
    """Tell whether a query may be kept: it is short, and no address of somebody, nor a number of theirs."""
    return len(text) <= LONGEST and "@" not in text and not _LONG_NUMBER.search(_YEARS.sub("", text))


@dataclass(slots=True)
class Counted:
    """What is remembered of one query: how it was written, how often, and what the last search found."""

    spellings: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    named: bool = False


class Recorder:
    """The queries of one process that are not yet written. Threads may share it."""

    def __init__(self, *, write_after: float = WRITE_AFTER, most: int = MOST_REMEMBERED) -> None:
        self._write_after = write_after
        self._most = most
        self._counted: dict[str, Counted] = {}
        self._writer: Thread | None = None
        self._lock = Lock()

    def note(self, words: str, text: str, *, texts: int, named: bool) -> None:
        """Count a search for `words` (see `plain_words`), written as `text`. No query, no waiting, no error."""
        if not (settings.KEEP_SEARCHES and words and may_keep(text)):
            return
        with self._lock:
            if words not in self._counted and len(self._counted) >= self._most:
                return
            counted = self._counted.setdefault(words, Counted())
            counted.spellings[text] += 1
            counted.texts, counted.named = texts, named
            # Begun with a search: a process that forks must have no thread yet, and one that was forked has lost it.
            if self._writer is None or not self._writer.is_alive():
                # Said here, for the threads of a server hand on that nobody waits for them.
                self._writer = Thread(target=self._write_later, name="searches", daemon=False)
                # A process at its end begins no thread.
                with suppress(RuntimeError):
                    self._writer.start()

    def _write_later(self) -> None:
        until = time.monotonic() + self._write_after
        # A process that ends waits for this thread.
        while time.monotonic() < until and main_thread().is_alive():
            time.sleep(min(_LOOK_EVERY, self._write_after))
        self.write()

    def write(self) -> None:
        """Write what was counted, or drop it where the database does not take it; then close the connection."""
        with self._lock:
            counted, self._counted = self._counted, {}
            self._writer = None
        if not counted:
            return
        try:
            with _impatient():
                store(counted, timezone.now().date())
        except DatabaseFault as error:
            log.warning("%d searches were not counted: %s", len(counted), error)
        finally:
            connection.close()


@contextmanager
def _impatient() -> Iterator[None]:
    """Make a transaction that waits for no lock longer than a moment."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Before the transaction, which begins with the lock.
            cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        with transaction.atomic():
            if connection.vendor == "postgresql":
                cursor.execute(f"SET LOCAL lock_timeout = {_PATIENCE}")
            yield


@transaction.atomic
def store(counted: Mapping[str, Counted], today: date) -> None:
    """Add to what is known of queries, and delete what is past. One statement for all, and four beside it.

    In the order of their words, so that two processes wait for each other and never lock each other out.
    """
    rows = []
    for words, one in sorted(counted.items()):
        ((text, number),) = one.spellings.most_common(1)
        rows.append((words, text, number, one.texts, one.named, one.spellings.total(), today, today))
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)
    SearchQuery.objects.past(today).delete()
    over = SearchQuery.objects.count() - MOST_KEPT
    if over > 0:
        # Those that are new and asked once go first: a flood of them pushes out nothing but itself.
        least = SearchQuery.objects.order_by("asked", "-pk").values_list("pk", flat=True)[:over]
        SearchQuery.objects.filter(pk__in=list(least)).delete()


_recorder = Recorder()
#: Count a search in this process.
note = _recorder.note
