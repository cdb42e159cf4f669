from typing import Any

from django.core.management.base import BaseCommand, CommandError

from peacekb.asked import Checked, checked
from peacekb.models import SearchCheck


class Command(BaseCommand):
    help = (
        "Search again what editors mended at the desk of failed searches, as readers do. Tells each search that does "
        "not find its page first: chosen by editors, as the entry of the name, or among three texts. Ends with 1 then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        told = [checked(check) for check in SearchCheck.objects.select_related("page").defer("page__source")]
        failed = [one for one in told if not (one.holds or one.waits)]
        waiting = sum(one.waits for one in told)
        for one in failed:
            self.stdout.write(_said(one))
        if waiting:
            self.stdout.write(f"{_counted(waiting)} for a draft that is not published yet.")
        if failed:
            raise CommandError(f"{len(failed)} of {len(told)} searches do not find what they should.")
        self.stdout.write(f"All {len(told) - waiting:,} searches find what they should.")


def _counted(number: int) -> str:
    return "1 search waits" if number == 1 else f"{number:,} searches wait"


def _said(one: Checked) -> str:
    check = one.check
    expected = f"“{check.text}” should find {check.page.get_absolute_url()} ({check.get_how_display().lower()})"
    found = " ".join(page.get_absolute_url() for page in one.found)
    return f"{expected}{'' if check.page.is_public else ', which is not public'}; it finds {found or 'nothing'}"
