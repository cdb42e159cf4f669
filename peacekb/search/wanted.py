"""What an engine is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from peacekb.text.query import Phrase


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries that hold one phrase of each of `words`, or instead one of `also`, and bear one token of each filter.

    They hold no phrase and bear no token of what is `without`. Of `words` and `filters` there is at least one.
    """

    words: Sequence[Sequence[Phrase]] = ()
    also: Sequence[Phrase] = ()
    filters: Sequence[Sequence[str]] = ()
    without: Sequence[Phrase] = ()
    without_filters: Sequence[str] = ()
