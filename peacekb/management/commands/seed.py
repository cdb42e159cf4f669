from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from peacekb.archive import bring_in
from peacekb.management.reporting import write_report
from peacekb.text.crew import cores


class Command(BaseCommand):
    help = (
        "Load the starter library from fixtures/. Run again, it changes nothing; what an editor changed is left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        report = bring_in(
            [Path(settings.BASE_DIR) / "fixtures"], seeding=True, dry_run=options["dry_run"], forks=cores()
        )
        write_report(self, report)
        if report.refused:
            raise CommandError(f"{len(report.refused)} problems in the starter library, see above.")
