"""Names that would link badly: those of another page, and words that stand in every sentence."""

from peacekb.models import Label, Page
from peacekb.text.words import words

_AGAIN = "Press the button again to keep it."
_FUNCTION_WORDS = frozenset(
    "a about after all also an and any are as at be because been before but by can could did do does for from had has "
    "have he her here him his how if in into is it its may more most must no nor not of on one or other our out over "
    "own she should so some such than that the their them then there these they this those through to too under until "
    "up upon us very was we were what when where which while who whose why will with within would you your".split()
)


def doubt_about(
    text: str, language: str, page: Page, *, case_sensitive: bool = False, ambiguous: bool = False
) -> str | None:
    """Say why a page should not have a name; `None` where nothing speaks against it. At most one query."""
    folded = _folded(text)
    if not folded:
        return None
    if language == "en" and not (case_sensitive or ambiguous) and " ".join(folded) in _FUNCTION_WORDS:
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
