"""Dates as the sources give them: a day, a month or a year."""

import re
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

#: `2009`, `2009-02` or `2009-02-28`: in the order of time they are in the order of letters.
_FORM = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def is_partial_date(text: str) -> bool:
    """Tell whether a text is a day, a month or a year that there is."""
    if not _FORM.fullmatch(text):
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[: len("2009-02-28")])
    except ValueError:
        return False
    return True


def check_partial_date(text: str) -> None:
    """Raise `ValidationError` for a text that is no such date."""
    if not is_partial_date(text):
        raise ValidationError(_("Enter a date such as 2009-02-28, 2009-02 or 2009."), code="no_date")


class PartialDateField(models.CharField):  # type: ignore[type-arg]  # it takes none at run time
    """A date of which perhaps only the month or the year is known."""

    default_validators = [check_partial_date]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 10, **kwargs})
