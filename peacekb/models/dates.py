"""Dates as the sources give them: a day, a month or a year."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

#: `2009`, `2009-02` or `2009-02-28`: in the order of time they are in the order of letters.
DAY_PATTERN = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"


class DayField(models.CharField):  # type: ignore[type-arg]  # it takes none at run time
    """A date of which perhaps only the month or the year is known."""

    default_validators = [RegexValidator(rf"^{DAY_PATTERN}$", _("Enter a date such as 2009-02-28, 2009-02 or 2009."))]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 10, **kwargs})
