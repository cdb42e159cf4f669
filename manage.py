#!/usr/bin/env python3
"""Run a management command with the settings of this checkout."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peacekb.settings")
    # Commands typed beside a site started by `make run` use that site's own key. The server does
    # not look here: a deployment has to say where its key comes from.
    local_key = Path(__file__).resolve().parent / "var" / "secret_key"
    if "SECRET_KEY" not in os.environ and local_key.exists():
        os.environ.setdefault("SECRET_KEY_FILE", str(local_key))
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit("Django is not installed here. Use .venv/bin/python manage.py after `make run`.") from error
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        raise SystemExit(f"peacekb did not start: {error}") from error


if __name__ == "__main__":
    main()
