"""What is stored. One noun a file; `Page` is the base of everything that can be read."""

from .actor import Actor, ActorType, Contribution, Membership
from .article import Article, Standpoint
from .beginning import Beginning
from .case import Case, Instrument, Participation, Result, years
from .claim import Claim, Evidence, Stance
from .concept import Concept
from .dismissed_name import DismissedName
from .edition import Edition
from .event import Event
from .label import Label
from .mention import Mention
from .name_change import ChangedPage, NameChange, StagedMention, StagedSection
from .operation import Operation, Region, Resolution
from .page import FormerSlug, Kind, Language, Page, PagePhase, Phase, Status, TaggedPage, Verified, public_at
from .revision import Revision
from .role import Role
from .search_entry import IndexedWord, SearchEntry
from .search_query import SearchCheck, SearchQuery, is_poor
from .section import Section, SectionTree
from .source import Source
from .tag_name import TagBroader, TagName, kept_tags, meant_tags, tag_shown, tag_slug
from .task import Pillar, Task

#: The model of each kind of page. Every command, view and form takes its kinds from here.
MODELS: dict[str, type[Page]] = {
    Kind.ARTICLE: Article,
    Kind.CONCEPT: Concept,
    Kind.ROLE: Role,
    Kind.TASK: Task,
    Kind.ACTOR: Actor,
    Kind.OPERATION: Operation,
    Kind.CASE: Case,
}

#: Kinds that say themselves to which phases they belong.
PHASED = frozenset({Kind.CONCEPT, Kind.ROLE, Kind.TASK})

__all__ = [
    "MODELS",
    "PHASED",
    "Actor",
    "ActorType",
    "Article",
    "Beginning",
    "Case",
    "ChangedPage",
    "Claim",
    "Concept",
    "Contribution",
    "DismissedName",
    "Edition",
    "Event",
    "Evidence",
    "FormerSlug",
    "IndexedWord",
    "Instrument",
    "Kind",
    "Label",
    "Language",
    "Membership",
    "Mention",
    "NameChange",
    "Operation",
    "Page",
    "PagePhase",
    "Participation",
    "Phase",
    "Pillar",
    "Region",
    "Resolution",
    "Result",
    "Revision",
    "Role",
    "SearchCheck",
    "SearchEntry",
    "SearchQuery",
    "Section",
    "SectionTree",
    "Source",
    "StagedMention",
    "StagedSection",
    "Stance",
    "Standpoint",
    "Status",
    "TagBroader",
    "TagName",
    "TaggedPage",
    "Task",
    "Verified",
    "is_poor",
    "kept_tags",
    "meant_tags",
    "public_at",
    "tag_shown",
    "tag_slug",
    "years",
]
