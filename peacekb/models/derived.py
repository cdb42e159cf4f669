from collections.abc import Callable
from typing import Any

from django.db import models


class Derived(models.TextField):  # type: ignore[type-arg]  # it takes none at run time
    """A text that follows from the rest of its row, by the function `of`; written whenever the row is."""

    def __init__(self, *args: Any, of: Callable[[Any], str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of = of

    def deconstruct(self) -> Any:
        """Be any text to migrations."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, row: Any, add: bool) -> str:
        """Give the text as it is written, and set it."""
        assert self._of is not None  # noqa: S101  only migrations do without
        written = self._of(row)
        setattr(row, self.attname, written)
        return written
