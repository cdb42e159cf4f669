"""Names that would link badly: those of another page, and words that stand in every sentence."""

from peacekb.models import Label, Page
from peacekb.text.learning import FUNCTION_WORDS
from peacekb.text.words import words

_AGAIN = "Press the button again to keep it."


def doubt_about(
    text: str, language: str, page: Page, *, case_sensitive: bool = False, ambiguous: bool = False
) -> str | None:
    """Say why a page should not have a name; `None` where nothing speaks against it. At most one query."""
    folded = _folded(text)
    if not folded:
        return None
    if language == "en" and not (case_sensitive or ambiguous) and " ".join(folded) in FUNCTION_WORDS:
        return f"“{text}” is a very common word: texts would link it wherever it stands. {_AGAIN}"
    others = Label.objects.filter(page__in=Page.objects.published(), language=language).exclude(page=page.pk)
    for label in others.select_related("page").order_by("pk").iterator():
        if case_sensitive and label.case_sensitive and label.text != text:
            continue
        if _folded(label.text) == folded:
            kind = label.page.get_kind_display().lower()
            return f"“{text}” already names the {kind} {label.page.title}. Texts would link neither. {_AGAIN}"
    return None


def _folded(text: str) -> tuple[str, ...]:
    return tuple(word.folded for word in words(text))
