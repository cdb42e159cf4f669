"""What a link shows before it is followed: the beginning of an entry, as a piece of HTML without a page around it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from peacekb.models import Page

from . import entries, phases


@require_safe
def preview(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """Show the beginning of a public page; another answers as at its own address. At most three queries."""
    kind = kinds.removesuffix("s")
    page = entries.listed(Page.objects.published()).filter(kind=kind, slug=slug).first()
    if page is None:
        response = _elsewhere(request, kind, slug)
    else:
        shown = {"page": page, "phases": phases.named(entries.phases_of(page=page.pk))}
        response = render(request, "pages/preview.html", shown)
    response["X-Robots-Tag"] = "noindex"
    return response


def _elsewhere(request: HttpRequest, kind: str, slug: str) -> HttpResponse:
    """Lead to the preview of a page that was renamed; say 410 or 404 in a sentence, for nobody reads a page here."""
    try:
        response = entries.elsewhere(request, kind, slug, view="pages:preview")
    except Http404:
        response = HttpResponse(status=404)
    if response.status_code != 301:
        sentence = _("The preview could not be loaded")
        response = HttpResponse(sentence, status=response.status_code, content_type="text/plain; charset=utf-8")
    return response
