"""What an engine is asked for, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from peacekb.text.query import Phrase

#: The column of the index whose words are facts; all other ones hold words of the text.
FACTS = "facts"
#: Sections that an engine ranks. Of a word that stands in more, the newest are ranked, and those with it in a heading.
MOST_RANKED = 400
#: Of sections with the words in title, names, heading or tags, where there are more than are ranked.
MOST_HEADED = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Sections that hold one phrase of each of `words`, or instead one of `also`, and one fact of each of `facts`.

    They hold none of what is `without`, words or facts. Of `words` and `facts` there is at least one. `together` is
    the phrase that all words make as they were typed, if they do.
    """

    words: Sequence[Sequence[Phrase]] = ()
    also: Sequence[Phrase] = ()
    facts: Sequence[Sequence[Phrase]] = ()
    without: Sequence[Phrase] = ()
    together: Phrase | None = None


class Candidate(NamedTuple):
    """A section that is as wanted. `score` is the engine's own, higher is better.

    `exact` tells that it holds the words and not only one of `also`, `together` that they stand in it as typed.
    """

    section: int
    page: int
    public_from: Any  # as the database gives it, for comparing
    facts: str
    score: float
    exact: bool = True
    together: bool = False


class Text(NamedTuple):
    """A public page that is as wanted, with its facts."""

    page: int
    public_from: Any  # as the database gives it, for comparing
    facts: str


class Candidates(NamedTuple):
    """The sections that were ranked; `whole` is false where there are more of them."""

    found: list[Candidate]
    whole: bool


class Indexed(NamedTuple):
    """What the index holds of one section: its facts, and its words by column, each as keys separated by spaces.

    `digest` tells whether the words are the same.
    """

    section: int
    page: int
    public_from: datetime
    facts: str
    digest: str
    title: str
    labels: str
    heading: str
    tags: str
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """Give the columns of words, in their order."""
        return self[5:]
