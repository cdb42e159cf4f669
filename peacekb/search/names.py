"""The entry that bears a name, and its other names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from peacekb.models import Label, Status
from peacekb.models.prepared import prepared
from peacekb.text.query import without_leading
from peacekb.text.vocabulary import label_keys, name_key
from peacekb.text.words import folded_words

_MOST_OTHER_NAMES = 12


@dataclass(frozen=True, slots=True)
class Named:
    """The entry that bears a name: the key of its page, and its other names that are worth a search."""

    page: int
    others: tuple[str, ...]


def entry_named(text: str) -> Named | None:
    """Give the published entry that has `text` as a name in any language, if there is exactly one.

    Spelling is forgiven as in a search, and so are words of every day before the name; who bears the name as it is
    written goes before who bears it so. Two queries, or three.
    """
    key = name_key(text)
    if not key:
        return None
    now = timezone.now()
    # Asked in the database, who is public would tempt SQLite to begin with all pages of that status.
    named = [
        (page, name)
        for page, name, status, published_at in _bearers(key=key)
        if status == Status.PUBLISHED and published_at is not None and published_at <= now
    ]
    if not named and (rest := without_leading(text)) not in ("", text):
        return entry_named(rest)
    for alike in (str, folded_words):
        bearers = {page for page, name in named if alike(name) == alike(text)}
        if bearers:
            break
    else:
        bearers = {page for page, _ in named}
    if len(bearers) != 1:
        return None
    (page,) = bearers
    return Named(page, tuple(_others(_shown(page=page), label_keys(text))))


@prepared
def _bearers(*, key: Any) -> QuerySet[Label, tuple[int, str, str, datetime | None]]:
    return _labels().filter(key=key).values_list("page_id", "text", "page__status", "page__published_at")


@prepared
def _shown(*, page: Any) -> QuerySet[Label]:
    return _labels().filter(page=page)


def _labels() -> QuerySet[Label]:
    return Label.objects.exclude(kind=Label.LabelKind.HIDDEN)


def _others(labels: Iterable[Label], asked: Sequence[str]) -> list[str]:
    """Give the names that find more than the one asked for and than each other, preferred ones first, at most twelve.

    Names that are never shown are no names to tell readers of, and a word of every day would find what is not meant.
    """
    by_keys: dict[tuple[str, ...], str] = {}
    for label in sorted(labels, key=lambda label: (label.kind != Label.LabelKind.PREF, label.language, label.text)):
        named = label_keys(label.text)
        if named and not label.ambiguous and not set(asked) <= set(named):
            by_keys.setdefault(named, label.text)
    phrases = {named: f" {' '.join(named)} " for named in by_keys}
    wider = [
        text
        for named, text in by_keys.items()
        if not any(other in phrases[named] for other in phrases.values() if other != phrases[named])
    ]
    return wider[:_MOST_OTHER_NAMES]
