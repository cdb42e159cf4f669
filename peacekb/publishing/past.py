"""Revisions: what pages said, and what readers had of it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from peacekb.documents import Document
from peacekb.models import Page, Revision
from peacekb.models.many import add_rows, reserve_keys

User = AbstractBaseUser | AnonymousUser | None


class Past(NamedTuple):
    """The newest revision of a page, and the newest that readers had; `None` where there is none."""

    newest: Revision | None = None
    shown: Revision | None = None

    @property
    def public(self) -> Document | None:
        """Give the document that readers have now, if any."""
        published = self.shown is not None and self.shown.state == Revision.State.PUBLISHED
        return self.shown.content if self.shown is not None and published else None


def pasts(pages: Iterable[Page]) -> dict[int, Past]:
    """Give the past of each page. Two queries, one for pages that have none."""
    newest: dict[int, int] = {}
    shown: dict[int, int] = {}
    keys = [page.pk for page in pages]
    every = Revision.objects.filter(page__in=keys).order_by("number").values_list("page", "state", "pk")
    for page, state, pk in every:
        newest[page] = pk
        if state != Revision.State.DRAFT:
            shown[page] = pk
    asked = {*newest.values(), *shown.values()}
    found = {revision.pk: revision for revision in Revision.objects.filter(pk__in=asked)} if asked else {}
    return {key: Past(found.get(newest.get(key, 0)), found.get(shown.get(key, 0))) for key in keys}


def last_published(page: Page) -> Document | None:
    """Give the document that readers have now, if any."""
    return pasts([page])[page.pk].public


def revise(
    pages: Sequence[tuple[Page, Document, Past]], state: str, *, editor: User, note: str, origin: str
) -> dict[int, Revision]:
    """Keep the documents of pages, but for those whose newest revision says the same in the same state.

    Gives the new revisions by page key.
    """
    user = editor if isinstance(editor, AbstractBaseUser) else None
    new = [
        Revision(
            page_id=page.pk,
            number=past.newest.number + 1 if past.newest else 1,
            content=document,
            editor=user,  # type: ignore[misc]
            editor_name=user.get_username() if user else "",
            note=note[:300],
            state=state,
            origin=origin,
        )
        for page, document, past in pages
        if past.newest is None or past.newest.state != state or past.newest.content != document
    ]
    for revision, key in zip(new, reserve_keys(Revision, len(new)) if new else (), strict=True):
        revision.pk = key
        revision._state.adding = False
    add_rows(new)
    return {revision.page_id: revision for revision in new}
