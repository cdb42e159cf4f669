import os
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction


class Command(BaseCommand):
    help = (
        "Make an administrator when the site has none. The password is PEACEKB_ADMIN_PASSWORD, "
        "or a generated one that is printed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="admin", help="the name to sign in with (default: admin)")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        username: str = options["username"]
        existing = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if existing:
            self.stdout.write(f"There is an administrator: {existing.get_username()}.")
            return
        if users.filter(username=username).exists():
            raise CommandError(
                f"The user “{username}” exists and is no active administrator. "
                "Choose another name with --username, or change that user in a shell."
            )
        if options["dry_run"]:
            self.stdout.write(f"Would make the administrator {username}.")
            return
        chosen = os.environ.get("PEACEKB_ADMIN_PASSWORD", "")
        password = chosen or secrets.token_urlsafe(15)
        if chosen:
            self.refuse_weak(password, username)
        users.create_superuser(username=username, email="", password=password)
        known = "the password in PEACEKB_ADMIN_PASSWORD" if chosen else f"the password {password} (shown only now)"
        self.stdout.write(f"Made the administrator: sign in as {username} with {known}.")

    def refuse_weak(self, password: str, username: str) -> None:
        """Raise `CommandError` with the validators' own words; the password itself is not repeated."""
        try:
            validate_password(password, user=get_user_model()(username=username))
        except ValidationError as error:
            raise CommandError(f"PEACEKB_ADMIN_PASSWORD is too weak. {' '.join(error.messages)}") from error
