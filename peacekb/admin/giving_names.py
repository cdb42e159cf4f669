"""Giving a page one more name from a list in which editors decide, and telling what came of it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils.html import format_html

from peacekb import publishing, suggestions
from peacekb.documents import DocumentRefused, document_of
from peacekb.models import NameChange, Page, Status
from peacekb.publishing import TextRefused
from peacekb.publishing.proposals import of_names
from peacekb.suggestions import NewName

from .confirming import done, look_at, told
from .publishing_admin import NAMES_AT_MOST, form_address, may_publish, revision_link
from .safety import SafeAdmin


def give_name(admin: SafeAdmin, request: HttpRequest, page: Page, name: NewName, *, why: str, gone: str) -> bool:
    """Give a published page a name: at once, or in a draft where the person may not publish. Tell whether it has it.

    `why` is the note of the version, `gone` what is said of a page that is not published any more. Raises `AskFirst`
    where links of other pages change and that is not confirmed; nothing is stored then.
    """
    if page.labels.count() >= NAMES_AT_MOST:
        full = f"“{page.title}” has {NAMES_AT_MOST} names, the most that its form holds. Take one away first."
        admin.message_user(request, full, messages.ERROR)
        return False
    try:
        with transaction.atomic():
            change = _confirmed(request, page, name, why) if may_publish(request) else None
            accepted = suggestions.accept(page, name, request.user, note=why) if change is None else None
    except (TextRefused, DocumentRefused) as refused:
        stays = f"The name is not added: the page cannot be published as it is. {refused}"
        admin.message_user(request, stays, messages.ERROR)
        return False
    link = format_html('<a href="{}">{}</a>', form_address(page), page.title)
    if change is not None:
        said = format_html("“{}” becomes a name of “{}”. {}", name.text, link, told(change))
    elif accepted is None:
        admin.message_user(request, gone, messages.WARNING)
        return False
    elif accepted.published:
        again = {0: "", 1: " 1 other page was linked again."}
        linked = again.get(accepted.linked, f" {accepted.linked} other pages were linked again.")
        said = format_html("“{}” is a name of “{}” now.{}", name.text, link, linked)
    elif accepted.revision is not None:
        kept = "“{}” is kept as a name in a draft, {}. Readers see nothing of it until it is published."
        said = format_html(kept, name.text, revision_link(accepted.revision))
    else:
        return False
    admin.message_user(request, said, messages.SUCCESS)
    if change is not None or (accepted is not None and accepted.published):
        _warn_of_a_draft(admin, request, page, name.text)
    return True


def _confirmed(request: HttpRequest, page: Page, name: NewName, why: str) -> NameChange | None:
    """Give the name to its page as one confirmed event, where that changes links of other pages."""
    publishing.take_turn()
    stored = Page.objects.filter(pk=page.pk, status=Status.PUBLISHED).first()
    if stored is None:
        return None
    look = look_at(request, of_names(stored, suggestions.with_name(document_of(stored), stored.kind, name)))
    return done(request, look, note=why) if look.matters else None


def _warn_of_a_draft(admin: SafeAdmin, request: HttpRequest, page: Page, text: str) -> None:
    draft = suggestions.draft_without(page, text)
    if draft is not None:
        lacks = "{} of the page, a draft, lacks the name: add it before publishing that draft."
        link = revision_link(draft, f"Version {draft.number}")
        admin.message_user(request, format_html(lacks, link), messages.WARNING)
