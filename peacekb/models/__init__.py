"""What is stored. One noun a file; `Page` is the base of everything that can be read."""

from .article import Article, Standpoint
from .beginning import Beginning
from .concept import Concept
from .dismissed_name import DismissedName
from .edition import Edition
from .label import Label
from .mention import Mention
from .name_change import ChangedPage, NameChange, StagedMention, StagedSection
from .page import FormerSlug, Kind, Language, Page, PagePhase, Phase, Status, TaggedPage, Verified
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
}

__all__ = [
    "MODELS",
    "Article",
    "Beginning",
    "ChangedPage",
    "Concept",
    "DismissedName",
    "Edition",
    "FormerSlug",
    "IndexedWord",
    "Kind",
    "Label",
    "Language",
    "Mention",
    "NameChange",
    "Page",
    "PagePhase",
    "Phase",
    "Pillar",
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
    "tag_shown",
    "tag_slug",
]
