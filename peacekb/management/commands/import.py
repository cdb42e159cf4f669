import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from peacekb.archive import bring_in
from peacekb.management.reporting import write_report
from peacekb.text.crew import cores


class Command(BaseCommand):
    help = "Bring Markdown files with front matter, or folders of them, into the base. Each file wholly or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="PATH", help="A file, or a folder as export writes it."
        )
        parser.add_argument("--draft", action="store_true", help="Keep the pages as drafts instead of publishing them.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [path for path in options["paths"] if not os.path.exists(path)]
        if missing:
            raise CommandError(
                f"{missing[0]}: no such file or folder, or you may not look there. Nothing was brought in."
            )
        report = bring_in(options["paths"], draft=options["draft"], dry_run=options["dry_run"], forks=cores())
        write_report(self, report)
        if report.refused:
            count = len(report.refused)
            problems = "1 problem" if count == 1 else f"{count:,} problems"
            raise CommandError(f"{problems}, see above. What is named there was left out.")
