"""What an operator relies on: settings that refuse, migrations both ways, the first administrator."""

import io
import os
import subprocess
import sys

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection

from peacekb.wsgi import application

KEY = "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with this environment and nothing else of ours."""
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "manage.py", *(arguments or ("check",))],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "sqlite:///:memory:", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": "django-insecure-" + KEY}, "SECRET_KEY is too short or a known placeholder"),
        ({"SECRET_KEY": KEY, "DEBUG": "maybe"}, "DEBUG='maybe' is neither yes nor no"),
        ({"SECRET_KEY": KEY, "SITE_URL": "http://kb.example.org"}, "would send passwords over the network unencrypted"),
        ({"SECRET_KEY": KEY, "SITE_URL": "kb.example.org"}, "is not the address of a site"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "mysql://a@b/c"}, "no engine for"),
    ],
)
def test_an_unsafe_or_misspelt_setting_stops_the_start_and_says_the_way_out(environment, message):
    done = start(**environment)
    assert done.returncode != 0
    assert message in done.stderr


def test_production_settings_pass_every_deployment_check():
    done = start("check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=KEY, SITE_URL="https://kb.example.org")
    assert done.returncode == 0, done.stderr


def test_production_sends_readers_to_https_with_safe_cookies_and_headers():
    code = (
        "from django.conf import settings as s; "
        "print(s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, "
        "s.ALLOWED_HOSTS, s.DEBUG)"
    )
    done = start("shell", "-v0", "-c", code, SECRET_KEY=KEY, SITE_URL="https://kb.example.org")
    assert done.stdout.strip() == "True True True True ['kb.example.org'] False"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_migrations_run_back_to_nothing_and_forward_again():
    call_command("migrate", "peacekb", "zero", verbosity=0)
    left = [name for name in connection.introspection.table_names() if name.startswith("peacekb_")]
    assert left == []
    call_command("migrate", "peacekb", verbosity=0)
    made = set(connection.introspection.table_names())
    assert {
        model._meta.db_table for model in apps.get_app_config("peacekb").get_models() if model._meta.managed
    } <= made
    assert set(Group.objects.values_list("name", flat=True)) == {"Editors", "Publishers"}


def ensure_admin() -> str:
    out = io.StringIO()
    call_command("ensure_admin", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_first_administrator_gets_a_generated_password_that_is_shown_once(monkeypatch):
    monkeypatch.delenv("PEACEKB_ADMIN_PASSWORD", raising=False)
    shown = ensure_admin()
    password = next(word for word in shown.split() if authenticate(username="admin", password=word))
    assert len(password) >= 16
    assert password not in ensure_admin()
    assert get_user_model().objects.get().is_superuser


@pytest.mark.django_db
def test_a_chosen_password_is_taken_and_a_weak_one_refused(monkeypatch):
    monkeypatch.setenv("PEACEKB_ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError):
        ensure_admin()
    assert not get_user_model().objects.exists()
    monkeypatch.setenv("PEACEKB_ADMIN_PASSWORD", "a-long-peace-of-words")
    ensure_admin()
    assert authenticate(username="admin", password="a-long-peace-of-words")


@pytest.mark.parametrize("charset", ["rot13", "hex", "idna", "undefined", "utf-16", "utf-7"])
def test_a_request_in_another_character_set_is_answered_with_400(charset):
    answers: list[str] = []
    environ = {"CONTENT_TYPE": f'text/plain; Charset="{charset}"', "QUERY_STRING": "q=%e9", "REQUEST_METHOD": "GET"}
    assert (
        b"".join(application(environ, lambda status, headers: answers.append(status))) == b"Send the request in UTF-8."
    )
    assert answers == ["400 Bad Request"]
