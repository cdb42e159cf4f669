"""One question, two engines: SQLite FTS5 and PostgreSQL full text."""

from .answering import Answer as Answer
from .answering import answer as answer
from .engines import engine as engine
from .facts import carries as carries
from .facts import counted as counted
from .finding import Filters as Filters
from .finding import Found as Found
from .finding import find as find
from .finding import naming as naming
from .finding import phrases_of as phrases_of
from .finding import search as search
from .finding import sections_with as sections_with
from .finding import texts as texts
from .index import SectionWords as SectionWords
from .index import derived_facts as derived_facts
from .index import entries_for as entries_for
from .index import follow_mentions as follow_mentions
from .index import store as store
from .index import words_of as words_of
from .known import Understood as Understood
from .known import understood as understood
from .names import Named as Named
from .names import entry_named as entry_named
from .sources import sources_named as sources_named
from .spelling import mended as mended
from .wanted import Text as Text
