from typing import Any

from django.db import models
from django.db.models import Value
from django.db.models.functions import Greatest
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone
from taggit.models import Tag

from .source import Source


class Edition(models.Model):
    """What readers have, as a number: one row, counted up in the transaction of each change that readers can see.

    Answers that were made for one edition hold until the next, or until a scheduled page is due.
    """

    number = models.PositiveBigIntegerField(default=1)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.number)

    @staticmethod
    def advance() -> None:
        """Count a change, in its transaction; where a deed follows in the same one, take its turn first. One query.

        The date never goes back, whatever the clocks of several servers say.
        """
        now = timezone.now()
        counted = {"number": models.F("number") + 1, "changed_at": Greatest("changed_at", Value(now))}
        if not Edition.objects.filter(pk=1).update(**counted):
            Edition.objects.bulk_create([Edition(pk=1, number=0, changed_at=now)], ignore_conflicts=True)
            Edition.objects.filter(pk=1).update(**counted)


# Sources and tags have no drafts and are stored in several places; pages go through peacekb.publishing, which counts.
@receiver([post_save, post_delete], sender=Source)
@receiver([post_save, post_delete], sender=Tag)
def _count_change(**kwargs: Any) -> None:
    Edition.advance()
