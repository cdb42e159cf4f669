"""Proposals: what pages would have of names, and what that would do to the links of all others."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import count
from operator import or_

from django.db.models import Q
from django.utils import timezone

from peacekb.documents import KEYS, NAMED_KINDS, Document, document_of, with_references
from peacekb.documents.form import PARTS, REFERENCES
from peacekb.models import MODELS, Label, NameChange, Page, Revision, Section, Status
from peacekb.text.compose import Section as MadeSection
from peacekb.text.vocabulary import Name, Vocabulary

from . import last_published
from .names import Effect, Resolver, address_of, names_of, was_public
from .rows import BATCH, linkable, linked_again


class ChangeRefused(ValueError):
    """A change that cannot be done. The message says what stands in the way, and the way out."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Documents that published pages are to have, by page key; pages to withdraw, each with its public reason; and
    where pages that are merged lead from then on.

    A page that is new stands as a draft already. What a proposal is asked needs the turn of a deed.
    """

    deed: str
    summary: str
    after: Mapping[int, Document]
    withdrawn: Mapping[int, str] = field(default_factory=dict)
    merged: Mapping[int, int] = field(default_factory=dict)

    @property
    def pages(self) -> set[int]:
        """Give the keys of the pages that the proposal itself changes."""
        return {*self.after, *self.withdrawn}

    def effect(self) -> Effect:
        """Give what it changes of the names that texts may use."""
        now = timezone.now()
        effect = Effect()
        for page in Page.objects.filter(pk__in=self.pages):
            after = self.after.get(page.pk)
            dated = {"published_at": now.isoformat(), **after} if after else None
            effect.add(page.pk, page.kind, was_public(last_published(page), now), was_public(dated, now))
        return effect

    def touched(self) -> set[int]:
        """Give the sections of other pages whose links may become others."""
        own = self.pages
        return {section for section, page in self.effect().sections().items() if page not in own}

    def names(self) -> dict[int, list[Name]]:
        """Give the names that the pages would have. A name without a row yet has the negative of its count as label."""
        pages = Page.objects.in_bulk(self.pages)
        labels: dict[int, dict[tuple[str, str], int]] = {pk: {} for pk in pages}
        rows = Label.objects.filter(page__in=pages).values_list("page_id", "language", "text", "pk")
        for page, language, text, label in rows:
            labels[page][language, text] = label
        new = count(1)
        names: dict[int, list[Name]] = {pk: [] for pk in self.withdrawn}
        for pk, document in self.after.items():
            own = names_of(pk, pages[pk].kind, document, labels[pk])
            names[pk] = [name if name.label is not None else name._replace(label=-next(new)) for name in own]
        return names

    def linked(self, sections: Sequence[int], names: Vocabulary) -> Iterator[tuple[Section, MadeSection]]:
        """Give each section as it is stored, and as it would be with `names`."""
        instead = self.instead()
        for place in range(0, len(sections), BATCH):
            stored = linkable(sections[place : place + BATCH])
            written = {one.wanted for section in stored for one in section.mentions.all() if one.wanted}
            resolve = Resolver(names, written, instead)
            for section in stored:
                yield section, linked_again(section, names, resolve)

    def instead(self) -> dict[int, Name | None]:
        """Give how written links would know the pages (see `Resolver`)."""
        kinds = dict(Page.objects.filter(pk__in=self.after).values_list("pk", "kind"))
        known: dict[int, Name | None] = {
            pk: Name(pk, document["title"], address_of(kinds[pk], document["slug"]))
            for pk, document in self.after.items()
        }
        return known | {pk: known.get(self.merged.get(pk, 0)) for pk in self.withdrawn}


def of_names(page: Page, document: Document) -> Proposal:
    """Propose a document for a published page, whose names it may change. A title that goes stays as another name."""
    old = last_published(page)
    title, language = (old["title"], old["language"]) if old else (page.title, page.language)
    rows = document.get("labels", [])
    if title == document["title"]:
        before = [row["text"] for row in old.get("labels", [])] if old else []
        after = [row["text"] for row in rows]
        more = [f"+ {name}" for name in after if name not in before]
        less = [f"− {name}" for name in before if name not in after]
        said = f"Names of “{title}”: {', '.join(more + less)}" if more or less else f"Names of “{title}”"
        return Proposal(NameChange.Deed.NAMES, said[:300], {page.pk: document})
    if page.kind in NAMED_KINDS and (title, language) not in {(row["text"], row.get("language", "en")) for row in rows}:
        former = {"text": title} if language == "en" else {"text": title, "language": language}
        document = {**document, "labels": [*rows, former]}
    return Proposal(NameChange.Deed.NAMES, f"“{title}” becomes “{document['title']}”"[:300], {page.pk: document})


def of_merging(page: Page, into: Page) -> Proposal:
    """Propose to withdraw a page whose names, address, tags, sources and relations another page of its kind takes.

    The text of the merged page is not carried over: its revisions keep it. Raises `ChangeRefused`.
    """
    if page.pk == into.pk or page.kind != into.kind:
        raise ChangeRefused("A page is merged into another page of its own kind. Choose another one.")
    for one in (page, into):
        if one.status != Status.PUBLISHED:
            raise ChangeRefused(f"“{one.title}” is not published. Only published pages are merged.")
    gone, kept = document_of(page), document_of(into)
    names = {(row["text"], row.get("language", "en")): row for row in kept.get("labels", [])}
    own = [{"text": gone["title"], **({"language": gone["language"]} if gone["language"] != "en" else {})}]
    for row in [*(own if page.kind in NAMED_KINDS else []), *gone.get("labels", [])]:
        place = (row["text"], row.get("language", "en"))
        if place not in names and place != (kept["title"], kept["language"]):
            names[place] = {key: value for key, value in row.items() if key != "kind" or value == "hidden"}
    kept["labels"] = list(names.values())
    for key in ("tags", "parties", *REFERENCES, *PARTS):
        if isinstance(gone.get(key, kept.get(key)), list):
            both = [*kept.get(key, []), *gone.get(key, [])]
            kept[key] = both if key in PARTS else list(dict.fromkeys(both))

    def without_itself(kind: str, slug: str) -> str | None:
        return None if kind == page.kind and slug in (gone["slug"], kept["slug"]) else slug

    def instead(kind: str, slug: str) -> str:
        return str(kept["slug"]) if kind == page.kind and slug == gone["slug"] else slug

    after = {into.pk: with_references(kept, page.kind, without_itself)}
    for other in _referring(page):
        if other.pk != into.pk:
            after[other.pk] = with_references(document_of(other), other.kind, instead)
    return Proposal(
        NameChange.Deed.MERGE,
        f"“{page.title}” merged into “{into.title}”"[:300],
        after,
        withdrawn={page.pk: f"Merged into {into.title}."},
        merged={page.pk: into.pk},
    )


def of_dividing(page: Page, new: Page, names: Collection[int]) -> Proposal:
    """Propose that a draft page takes some of a published page's names (keys of labels), and is published with them.

    Raises `ChangeRefused`.
    """
    moved = list(page.labels.filter(pk__in=names).exclude(kind="pref", language=page.language))
    if not moved:
        raise ChangeRefused("Choose at least one name that the new page takes.")
    taken = {(label.text, label.language) for label in moved}
    document, own = document_of(page), document_of(new)
    rows = document.get("labels", [])
    document["labels"] = [row for row in rows if (row["text"], row.get("language", "en")) not in taken]
    own["labels"] = [
        *own.get("labels", []),
        *(row for row in rows if (row["text"], row.get("language", "en")) in taken and row["text"] != own["title"]),
    ]
    after = {
        pk: {key: value for key, value in one.items() if value} for pk, one in ((page.pk, document), (new.pk, own))
    }
    return Proposal(NameChange.Deed.SPLIT, f"“{new.title}” divided from “{page.title}”"[:300], after)


def of_undoing(change: NameChange) -> Proposal:
    """Propose what stood before a change. Raises `ChangeRefused` where a page was changed since."""
    if change.state != NameChange.State.DONE:
        raise ChangeRefused("Only a change that is done can be taken back.")
    after, withdrawn = {}, {}
    for changed in change.pages.select_related("page", "before"):
        newest = changed.page.revisions.exclude(state=Revision.State.DRAFT).order_by("-number").first()
        if newest is None or newest.pk != changed.after_id:
            raise ChangeRefused(
                f"“{changed.page.title}” was changed since. Publish its earlier version from its history instead."
            )
        if changed.before is not None:
            after[changed.page_id] = changed.before.content
        else:
            withdrawn[changed.page_id] = f"Taken back: {change.summary}"[:300]
    return Proposal(NameChange.Deed.UNDO, f"Taken back: {change.summary}"[:300], after, withdrawn)


def _referring(page: Page) -> Iterable[Page]:
    """Give the published pages whose documents name a page among their relations. One query a kind."""
    for kind, keys in KEYS.items():
        relations = [Q(**{key: page.pk}) for key in keys if REFERENCES.get(key) == page.kind]
        for key in (key for key in keys if key in PARTS):
            names = [name for name, other in PARTS[key].references.items() if other == page.kind]
            relations += [Q(**{f"{key}__{name}": page.pk}) for name in names]
        if relations:
            asked = reduce(or_, relations)
            yield from MODELS[kind].objects.filter(asked, status=Status.PUBLISHED).exclude(pk=page.pk).distinct()
