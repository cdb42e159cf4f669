import sys
from typing import Any

from django.core.management.base import BaseCommand

from peacekb.models import Page, Status
from peacekb.publishing import rebuild
from peacekb.text.crew import cores

_WIDTH = 40


class Command(BaseCommand):
    help = "Derive sections, mentions and the search index again from what editors wrote. The same rows come out."

    def handle(self, *args: Any, **options: Any) -> None:
        total = Page.objects.filter(status=Status.PUBLISHED).count()
        done = 0
        for done in rebuild(forks=cores()):
            if sys.stdout.isatty():
                bar = "#" * (done * _WIDTH // total)
                self.stdout.write(f"\r[{bar:<{_WIDTH}}] {done:,} of {total:,}", ending="")
                self.stdout.flush()
        if sys.stdout.isatty():
            self.stdout.write("")
        self.stdout.write(f"{done:,} pages rebuilt.")
