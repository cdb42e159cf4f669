"""The last step: only the HTML that an essay needs leaves the pipeline."""

import re
from functools import lru_cache

import nh3

_TAGS = {
    "a", "abbr", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li",
    "ol", "p", "pre", "span", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"dir", "id", "class"},
    "a": {"href", "title", "aria-label"},
    "th": {"align"},
    "td": {"align"},
    "ol": {"start"},
    "li": {"value"},
}
_CLASSES = {"concept", "pm", "external", "footnote-ref", "footnote-backref"}
# Stricter than a list of schemes: what has a colon and is none of these is not an address of ours.
_ADDRESS = re.compile(r"(?:https?://|mailto:|[/#?]|[^:\s]*$)", re.IGNORECASE)
_ID = re.compile(r"(?:fn|fnref\d*):[^\s\"'<>]+|[\w-]+")


# The same classes and addresses come again and again.
@lru_cache(maxsize=8_192)
def _kept(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class":
        kept = " ".join(name for name in value.split() if name in _CLASSES)
        return kept or None
    if attribute == "id":
        return value if _ID.fullmatch(value) else None
    if attribute == "href":
        return value if _ADDRESS.match(value) else None
    if attribute == "dir":
        return value if value in ("ltr", "rtl", "auto") else None
    return value


_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_kept,
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
    clean_content_tags={"script", "style"},
)


def sanitize(html: str) -> str:
    """Give HTML that is safe to send as it is: known elements, known attributes, links to http, https and mailto."""
    return _cleaner.clean(html)
