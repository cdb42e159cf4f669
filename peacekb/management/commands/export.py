from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from peacekb.archive import export


class Command(BaseCommand):
    help = "Write every public page as a Markdown file with front matter, by kind, and the bibliography."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="A new or empty folder.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise CommandError(
                    f"{folder} is not an empty folder. Name a new one, so that no older file is left among them."
                )
            count = sum(1 for _ in export(folder))
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror}. Name another folder.") from error
        self.stdout.write(f"{count} files written to {folder}.")
