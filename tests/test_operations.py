"""What an operator relies on: settings that refuse, migrations both ways, the first administrator."""

import io
import logging
import os
import runpy
import socket
import subprocess
import sys
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils.log import CallbackFilter, log_response

from peacekb.sign_in import client_address
from peacekb.wsgi import application

from .factories import published_article

OPEN = "0.0.0.0"  # noqa: S104  to be refused
KEY = "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"


RIGHT = "a-long-peace-of-words"
SITE = "https://kb.example.org"
FROM_ENVIRONMENT = (
    "DEBUG SECRET_KEY SECRET_KEY_FILE SITE_URL HOST PORT ALLOWED_HOSTS TRUST_PROXY DATABASE_URL STATIC_ROOT "
    "HSTS_SECONDS HSTS_SUBDOMAINS LOG_LEVEL PGHOST PGSSLMODE"
).split()


@pytest.fixture
def settings_of(monkeypatch):
    """Read the settings afresh from an environment, with a sound key and nothing else of ours."""

    def read(**environment: str) -> dict[str, Any]:
        for name in FROM_ENVIRONMENT:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"SECRET_KEY": KEY, "DATABASE_URL": "sqlite:///:memory:", **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(settings.BASE_DIR / "peacekb" / "settings.py"))

    return read


def start(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the checkout with this environment and nothing else of ours."""
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "sqlite:///:memory:", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY (or SECRET_KEY_FILE) is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": "django-insecure-" + KEY}, "SECRET_KEY is too short or a known placeholder"),
        ({"SECRET_KEY": "abcde" * 10}, "SECRET_KEY repeats a few characters"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": sys.executable}, "holds no text"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/nowhere"}, "cannot be read: No such file"),
        ({"DEBUG": "maybe"}, "DEBUG='maybe' is neither yes nor no"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL='LOUD' is not a level. Write one of DEBUG, INFO"),
        ({"PORT": "http"}, "PORT='http' is not a whole number"),
        ({"SITE_URL": "http://kb.example.org"}, "would send passwords over the network unencrypted"),
        ({"HOST": OPEN}, "HOST='0.0.0.0' lets other machines in"),
        ({"HOST": "[::]"}, "HOST='[::]' lets other machines in"),
        ({"HOST": "::1"}, "Write HOST=127.0.0.1, or HOST=[::1] with its brackets"),
        ({"DEBUG": "on", "SITE_URL": SITE}, "Write DEBUG=off"),
        ({"DEBUG": "on", "HOST": OPEN}, "Write DEBUG=off"),
        *(
            ({"SITE_URL": url}, "is not the address of a site")
            for url in (
                "kb.example.org",
                "ftp://kb.example.org",
                "https://",
                "https://*",
                "https://a b",
                "https://a\nb",
                "https://a_b.org",
                "https://-a.org",
                "https://a..org",
                "https://kb.example.org:",
                "https://kb.example.org/path",
                "https://kb.example.org?",
                "https://kb.example.org#",
                "https://" + "a." * 130 + "org",
            )
        ),
        ({"SITE_URL": "https://[::1"}, "is not an address"),
        ({"SITE_URL": "https://a.org:99999"}, "is not an address"),
        *(
            ({"SITE_URL": SITE, "ALLOWED_HOSTS": names}, "which is not the name of a host")
            for names in ("*", ".", ".org", "a.example.org,*", "*.example.org", "a b", SITE, "a.org:443", "a.org/")
        ),
        ({"DATABASE_URL": "mysql://a@b/c"}, "no engine for"),
        ({"DATABASE_URL": "postgresql://a:b@db.example.org/c"}, "Append ?sslmode=require"),
        ({"DATABASE_URL": "postgresql://a:b@db.example.org/c?sslmode=prefer"}, "Append ?sslmode=require"),
        ({"DATABASE_URL": "postgresql://a:b@/c?service=far"}, "Append ?sslmode=require"),
        ({"DATABASE_URL": "postgresql://a:b@/c", "PGSERVICE": "far"}, "Append ?sslmode=require"),
        ({"DATABASE_URL": "postgresql://a:b@/c", "PGHOSTADDR": "192.0.2.1"}, "Append ?sslmode=require"),
        ({"DATABASE_URL": "postgresql:///c?host=db.example.org"}, "may reach db.example.org unencrypted"),
        ({"DATABASE_URL": "postgresql:///c", "PGHOST": "10.0.0.5"}, "may reach 10.0.0.5 unencrypted"),
    ],
)
def test_an_unsafe_or_misspelt_setting_is_refused_with_the_way_out(settings_of, environment, message):
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(**environment)
    assert message in str(refused.value)


@pytest.mark.parametrize("url", ["https://:pass-word@kb.example.org", "https://user:pass-word@kb.example.org"])
def test_a_password_in_the_address_of_the_site_is_refused_and_not_repeated(settings_of, url):
    with pytest.raises(ImproperlyConfigured, match="user name or a password") as refused:
        settings_of(SITE_URL=url)
    assert "pass-word" not in str(refused.value)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DEBUG": "on"},
        {"HOST": "localhost"},
        {"HOST": "[::1]", "SITE_URL": "http://[::1]:8000"},
        {"SITE_URL": SITE, "HOST": OPEN, "TRUST_PROXY": "on"},
        {"SITE_URL": "https://203.0.113.7:8443"},
        {"SITE_URL": SITE, "ALLOWED_HOSTS": "kb.example.org, .example.org,[::1],10.0.0.5"},
        {"DATABASE_URL": "postgresql:///c"},
        {"DATABASE_URL": "postgresql://a:b@127.0.0.1/c"},
        {"DATABASE_URL": "postgresql://a:b@[::1]/c"},
        {"DATABASE_URL": "postgresql://a:b@%2Frun%2Fpostgresql/c"},
        {"DATABASE_URL": "postgresql://a:b@db.example.org/c?sslmode=verify-full"},
        {"DATABASE_URL": "postgresql://a:b@10.0.0.5/c?sslmode=disable"},
    ],
)
def test_a_sound_setting_is_taken(settings_of, environment):
    assert settings_of(**environment)["SECRET_KEY"] == KEY


def test_the_address_of_the_site_is_taken_in_small_letters_as_browsers_write_it(settings_of):
    taken = settings_of(SITE_URL="HTTPS://KB.Example.org/")
    assert (taken["SITE_URL"], taken["ALLOWED_HOSTS"]) == (SITE, ["kb.example.org"])


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "seed"],
        ["manage.py", "runserver"],
        ["-m", "peacekb"],
        ["scripts/run.py"],
    ],
)
def test_a_refused_start_is_one_sentence_on_the_terminal(command):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    done = start(*command, SECRET_KEY="short", PORT=port)
    assert done.returncode == 1
    assert done.stderr.startswith("peacekb did not start: SECRET_KEY is too short")
    assert done.stderr.count("\n") == 1


def test_production_settings_pass_every_deployment_check():
    done = start("manage.py", "check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=KEY, SITE_URL=SITE)
    assert done.returncode == 0, done.stderr


# --- what every answer carries -------------------------------------------------------------------


def assert_safe_headers(response: Any, what: str) -> None:
    assert response["X-Frame-Options"] == "DENY", what
    assert response["X-Content-Type-Options"] == "nosniff", what
    assert response["Referrer-Policy"] == "same-origin", what
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"], what
    assert "Access-Control-Allow-Origin" not in response, what


@pytest.mark.django_db
def test_every_answer_carries_the_headers_that_browsers_heed(monkeypatch, settings):
    settings.WHITENOISE_USE_FINDERS = True  # no file is collected for tests
    published_article(title="How wars end")
    client = Client(raise_request_exception=False)
    answers: list[tuple[str, str, int, dict[str, Any]]] = [
        ("get", "/", 200, {}),
        ("get", "/healthz/", 200, {}),
        ("get", "/readyz/", 200, {}),
        ("get", "/admin/login/", 200, {}),
        ("get", "/admin/", 302, {}),
        ("get", "/articles", 301, {}),
        ("get", "/nowhere/", 404, {}),
        ("get", "/search/?kind=planet", 400, {}),
        ("post", "/", 405, {}),
        ("get", "/", 400, {"HTTP_HOST": "evil.example"}),
        ("get", "/static/css/tokens.css", 200, {}),
        ("head", "/static/css/tokens.css", 200, {}),
        ("get", "/static/css/tokens.css", 206, {"HTTP_RANGE": "bytes=0-9"}),
        ("get", "/static/css/tokens.css", 416, {"HTTP_RANGE": "bytes=9999999-"}),
        ("post", "/static/css/tokens.css", 405, {}),
        ("get", "/static/css/nothing.css", 404, {}),
    ]
    for method, address, status, extra in answers:
        response = getattr(client, method)(address, **extra)
        response.getvalue()  # a file is closed when it was read
        assert response.status_code == status, (method, address)
        assert_safe_headers(response, f"{method} {address}")
    forged = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert forged.status_code == 403
    assert_safe_headers(forged, "a forged form")
    monkeypatch.setattr("peacekb.pages.views.phases.line_with_counts", lambda: 1 / 0)
    broken = client.get("/")
    assert broken.status_code == 500
    assert_safe_headers(broken, "a fault")


@pytest.mark.django_db
def test_over_tls_readers_are_sent_to_the_site_and_cookies_stay_with_it(settings, settings_of):
    for name, value in settings_of(SITE_URL=SITE, TRUST_PROXY="on").items():
        if name.startswith(("SECURE_", "SESSION_", "CSRF_", "ALLOWED_HOSTS")):
            setattr(settings, name, value)
    get_user_model().objects.create_superuser("ann", password=RIGHT)

    unencrypted = Client(headers={"host": "evil.example"}).get("/articles/?page=2")
    assert (unencrypted.status_code, unencrypted["Location"]) == (301, f"{SITE}/articles/?page=2")
    assert_safe_headers(unencrypted, "a redirect")
    foreign = Client(headers={"host": "evil.example", "x-forwarded-proto": "https"}).get("/")
    assert foreign.status_code == 400
    assert_safe_headers(foreign, "a foreign host")

    client = Client(headers={"host": "kb.example.org", "x-forwarded-proto": "https"})
    assert client.get("/")["Strict-Transport-Security"] == "max-age=31536000"
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "ann", "password": RIGHT})
    flags = ("secure", "httponly", "samesite", "path", "domain")
    assert {name: [cookie[flag] for flag in flags] for name, cookie in client.cookies.items()} == {
        "__Host-sessionid": [True, True, "Lax", "/", ""],
        "__Host-csrftoken": [True, "", "Lax", "/", ""],
    }


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


@pytest.mark.parametrize(
    "content_type",
    [
        *(f'text/plain; Charset="{charset}"' for charset in ("rot13", "hex", "idna", "undefined", "utf-16", "utf-7")),
        "text/plain; charset=utf-8; charset=rot13",
        "text/plain; charset*0=ro; charset*1=t13",
        "text/plain; charset*=utf-8''rot13",
        "text/plain; name*=nonsense''%ff",
        "text/plain; charset=",
    ],
)
def test_a_request_in_another_character_set_is_answered_with_400(content_type):
    answers: list[tuple[str, dict[str, str]]] = []
    environ = {"CONTENT_TYPE": content_type, "QUERY_STRING": "q=%e9", "REQUEST_METHOD": "GET"}
    body = application(environ, lambda status, headers: answers.append((status, dict(headers))))
    assert b"".join(body) == b"Send the request in UTF-8."
    [(status, headers)] = answers
    assert status == "400 Bad Request"
    assert_safe_headers(headers, content_type)


@pytest.mark.parametrize(("level", "lines"), [(400, 1), (404, 1), (500, 4)])
def test_the_log_tells_a_refused_request_in_one_line_and_a_fault_with_its_traceback(level, lines):
    logger, out = logging.getLogger("peacekb.test"), io.StringIO()
    configured = settings.LOGGING
    handler = logging.StreamHandler(out)
    for name in configured["handlers"]["console"]["filters"]:
        handler.addFilter(CallbackFilter(configured["filters"][name]["callback"]))
    logger.addHandler(handler)
    try:
        raise ValueError("A fault.")
    except ValueError as error:
        log_response("Told: %s", "/", response=HttpResponse(status=level), logger=logger, exception=error)
    finally:
        logger.removeHandler(handler)
    assert out.getvalue().count("\n") >= lines
    assert ("Traceback" in out.getvalue()) == (level == 500)


# --- signing in ----------------------------------------------------------------------------------


@pytest.fixture
def ann(settings):
    settings.AXES_ENABLED = True
    return get_user_model().objects.create_superuser("ann", password=RIGHT)


def sign_in(password: str, name: str = "ann", next_: str = "", **extra: Any) -> Any:
    """Try to sign in from nowhere in particular; extra values go into the request."""
    return Client().post(f"/admin/login/?next={next_}", {"username": name, "password": password}, **extra)


@pytest.mark.django_db
def test_after_ten_wrong_passwords_a_name_is_locked_from_that_address_alone(ann):
    assert [sign_in("wrong").status_code for _ in range(10)] == [200] * 9 + [429]
    assert sign_in(RIGHT).status_code == 429
    assert sign_in(RIGHT, REMOTE_ADDR="203.0.113.9").status_code == 302


@pytest.mark.django_db
def test_an_address_that_fails_under_many_names_is_locked_for_all_of_them(ann):
    answers = [sign_in("wrong", name=f"name-{number}").status_code for number in range(50)]
    assert answers == [200] * 49 + [429]
    assert sign_in(RIGHT).status_code == 429
    assert sign_in(RIGHT, REMOTE_ADDR="203.0.113.9").status_code == 302


@pytest.mark.django_db
def test_one_who_signs_in_does_not_wipe_out_the_failures_of_the_address(ann):
    for number in range(49):
        sign_in("wrong", name=f"name-{number}")
    assert sign_in(RIGHT).status_code == 302
    assert sign_in("wrong", name="one-more").status_code == 429


@pytest.mark.django_db
def test_a_lock_ends_after_its_time_though_somebody_goes_on_guessing(ann, time_machine):
    time_machine.move_to("2026-01-01T00:00:00Z", tick=False)
    for _ in range(10):
        sign_in("wrong")
    time_machine.move_to("2026-01-01T00:14:00Z", tick=False)
    assert sign_in("wrong").status_code == 429
    time_machine.move_to("2026-01-01T00:16:00Z", tick=False)
    assert sign_in(RIGHT).status_code == 302


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "client"),
    [
        (False, "10.0.0.1", "203.0.113.7", "10.0.0.1"),
        (True, "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        (True, "10.0.0.1", "192.0.2.66, 203.0.113.7", "203.0.113.7"),
        (True, "10.0.0.1", "", "10.0.0.1"),
        (True, "10.0.0.1", "203.0.113.7, nonsense", "10.0.0.1"),
        (True, "", "nonsense", None),
        (False, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (False, "::ffff:203.0.113.7", "", "203.0.113.7"),
    ],
)
def test_a_client_is_known_by_the_address_that_the_proxy_saw(rf, settings, trusted, remote, forwarded, client):
    settings.TRUST_PROXY = trusted
    assert client_address(rf.get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)) == client


@pytest.mark.django_db
@pytest.mark.parametrize("next_", ["", "https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_a_foreign_address_to_go_on_to_leads_to_the_admin(ann, next_):
    assert sign_in(RIGHT, next_=next_)["Location"] == "/admin/"


@pytest.mark.django_db
@pytest.mark.parametrize("next_", ["", "https://evil.example/", "//evil.example"])
def test_one_who_signs_out_comes_to_the_form_to_sign_in(ann, client, next_):
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/admin/logout/?next={next_}")["Location"] == "/admin/login/"
    assert client.get("/admin/").status_code == 302
