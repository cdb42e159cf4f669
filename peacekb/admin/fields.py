"""Form fields for what an editor writes as plain text."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.timezone import localtime
from taggit.forms import TagField

from peacekb.models import kept_tags
from peacekb.text.markdown_tree import clean

LINE_LENGTH = 200
# A tag's slug takes the name, and taggit may add a number to it; both columns hold 100 characters.
TAG_LENGTH = 90
# Each line or tag is stored, and each new tag is a row: more than a page can use is a mistake.
LINES_AT_MOST = 200
TAGS_AT_MOST = 50


def one_line(text: str) -> str:
    """Give the text with every run of white space as one space."""
    return " ".join(text.split())


def spoken_time(moment: datetime) -> str:
    """Give a moment as “24 November 2026, 06:40 UTC”; templates have `date:"j F Y, H:i"` for it."""
    return f"{localtime(moment):%-d %B %Y, %H:%M} UTC"


class OneLineField(forms.CharField):
    """A text that stands on one line, whatever was pasted."""

    def to_python(self, value: Any) -> str:
        return one_line(super().to_python(value) or "")


class MarkdownField(forms.CharField):
    """The text of a page: one kind of line end, and no character that a page cannot hold."""

    widget = forms.Textarea(attrs={"rows": 30, "dir": "auto", "spellcheck": "true", "class": "vLargeTextField text"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        text = clean(super().to_python(value) or "")
        return text if text.strip() else ""


class SeenField(forms.CharField):
    """What was shown beside a form when its button was pressed; it is no change of the form."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> str:
        """Take whatever was sent: it is compared and never stored."""
        return str(value or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class LinesField(forms.CharField):
    """A list of texts, written one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "dir": "auto"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [line for line in map(one_line, super().clean(value).splitlines()) if line]
        if len(lines) > LINES_AT_MOST:
            raise ValidationError(
                "Write %(most)d lines or fewer; there are %(count)d.",
                code="too_many_lines",
                params={"most": LINES_AT_MOST, "count": len(lines)},
            )
        for line in lines:
            if len(line) > LINE_LENGTH:
                raise ValidationError(
                    "Each line must be %(most)d characters or fewer; “%(start)s…” has %(length)d.",
                    code="line_too_long",
                    params={"most": LINE_LENGTH, "start": line[:30], "length": len(line)},
                )
        return list(dict.fromkeys(lines))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), str(data or "").replace("\r\n", "\n"))


class TagsField(TagField):  # type: ignore[misc]
    """Tags between commas, each of them fit for an address. A synonym becomes the tag that it stands for."""

    def clean(self, value: Any) -> Sequence[str]:
        tags = [tag for tag in map(one_line, super().clean(value)) if tag]
        if len(tags) > TAGS_AT_MOST:
            raise ValidationError(
                "A page has %(most)d tags or fewer; there are %(count)d here.",
                code="too_many_tags",
                params={"most": TAGS_AT_MOST, "count": len(tags)},
            )
        for tag in tags:
            if len(tag) > TAG_LENGTH:
                raise ValidationError(
                    "A tag must be %(most)d characters or fewer; “%(start)s…” has %(length)d. Put commas between tags.",
                    code="tag_too_long",
                    params={"most": TAG_LENGTH, "start": tag[:30], "length": len(tag)},
                )
            if not slugify(tag, allow_unicode=True):
                raise ValidationError(
                    "“%(tag)s” holds no letter and no digit. Write tags as words.",
                    code="tag_without_a_word",
                    params={"tag": tag},
                )
        return kept_tags(tags)
