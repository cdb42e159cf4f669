import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from peacekb.models import NameChange
from peacekb.publishing.staging import proceed

_WIDTH = 40
# Between two steps whoever saves a page gets a turn: SQLite asks for it every tenth of a second, in no order.
_PAUSE = 0.15


class Command(BaseCommand):
    help = (
        "Carry on with a change of names that is being prepared, to its end. The admin starts this by itself; run from "
        "cron every minute it also takes up what a restart cut short. Several at once do no harm, and with nothing "
        "to do it ends at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        change = NameChange.objects.filter(state=NameChange.State.WAITING).first()
        if change is None:
            self.stdout.write("No change of names is waiting.")
            return
        while not proceed(change, seconds=0):
            self._show(change)
            time.sleep(_PAUSE)
        change.refresh_from_db()
        if sys.stdout.isatty():
            self.stdout.write("")
        if change.problem:
            raise CommandError(f"{change.summary}: stopped. {change.problem}")
        self.stdout.write(f"{change.summary}: {change.get_state_display().lower()}.")

    def _show(self, change: NameChange) -> None:
        if sys.stdout.isatty():
            change.refresh_from_db()
            done, total = change.sections_done, change.sections_total
            bar = "#" * (done * _WIDTH // max(total, 1))
            self.stdout.write(f"\r[{bar:<{_WIDTH}}] {done:,} of {total:,} sections", ending="")
            self.stdout.flush()
