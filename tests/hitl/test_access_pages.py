"""What holds for every page: headers, error pages, and settings that are fit for the open network."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings as configured
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client
from django.urls import include, path

from hitl.access import checks
from tests.factories.hitl import UserFactory

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments, **environment):
    here = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**here, "HITL_URL": "https://hitl.example.org", **environment},
    )  # fmt: skip


class TestSettings:
    def test_are_clean_for_a_server_on_the_open_network(self):
        said = manage("check", "--deploy", "--fail-level", "INFO")
        assert said.returncode == 0, said.stderr
        assert "no issues" in said.stdout + said.stderr

    @pytest.mark.parametrize("secret", ["secret", "x" * 60, "django-insecure-" + "abcdefghijklmnop" * 4])
    def test_with_a_weak_secret_are_refused_with_what_to_do(self, secret):
        said = manage("check", HITL_SECRET_KEY=secret)
        assert said.returncode == 1
        assert "HITL_SECRET_KEY is too weak" in said.stderr
        assert "token_urlsafe" in said.stderr

    def test_with_a_weak_predecessor_of_the_secret_are_refused(self, settings):
        settings.SECRET_KEY_FALLBACKS = ["old"]
        assert [fault.id for fault in checks.secret_is_strong(None)] == ["hitl.E001"]

    def test_make_a_strong_secret_where_none_is_given(self):
        assert checks.secret_is_strong(None) == []


def broken(request):
    raise RuntimeError("a secret reason")


def raising(error):
    def view(request):
        raise error

    return view


FAILING = [
    path("broken/", broken),
    path("forbidden/", raising(PermissionDenied())),
    path("missing/", raising(Http404())),
    path("odd/", raising(SuspiciousOperation())),
]


@pytest.fixture
def failing(settings, monkeypatch):
    """The real addresses, and some that fail."""
    together = ModuleType("failing_urls")
    together.urlpatterns = [*FAILING, path("", include("hitl.urls"))]
    monkeypatch.setitem(sys.modules, "failing_urls", together)
    settings.ROOT_URLCONF = "failing_urls"


@pytest.mark.django_db
class TestEveryPage:
    def test_may_load_and_run_only_what_comes_from_here(self, client):
        policy = client.get("/login/").headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy

    def test_carries_the_headers(self, client):
        headers = client.get("/login/").headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "no-store" in headers["Cache-Control"]

    def test_is_kept_by_no_browser(self, sign_in):
        assert sign_in().get("/password/").headers["Cache-Control"] == "no-store"

    def test_has_no_inline_script_style_or_handler(self, sign_in):
        admin = UserFactory(is_superuser=True)
        for url in (
            "/login/",
            "/password/",
            "/people/",
            f"/people/{admin.pk}/",
            "/people/new/",
            "/tenants/",
            "/tenants/new/",
        ):
            client = Client() if url == "/login/" else sign_in(admin)
            page = client.get(url).content.decode().lower()
            for inline in (" style=", " onclick", " onload", " hx-on", "<style", "<script>"):
                assert inline not in page, (url, inline)


@pytest.mark.django_db
class TestWhenSomethingIsWrong:
    @pytest.mark.parametrize(
        ("url", "status", "said"),
        [
            ("/broken/", 500, "Something broke on our side"),
            ("/forbidden/", 403, "This is not allowed"),
            ("/missing/", 404, "There is nothing here"),
            ("/nowhere/at/all/", 404, "There is nothing here"),
            ("/odd/", 400, "This request cannot be understood"),
        ],
    )
    def test_a_page_says_so_in_words(self, failing, sign_in, url, status, said):
        client = sign_in()
        client.raise_request_exception = False
        answer = client.get(url)
        assert answer.status_code == status
        assert said in answer.content.decode()
        assert "secret reason" not in answer.content.decode()

    def test_a_form_without_its_token_is_told_what_to_do(self):
        answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "a@example.org", "password": "x"})
        assert answer.status_code == 403
        assert "This form was too old" in answer.content.decode()

    def test_the_page_for_a_fault_needs_no_database(self, failing, django_db_blocker):
        client = Client(raise_request_exception=False)
        with django_db_blocker.block():
            answer = client.get("/login/", headers={"Cookie": f"{configured.SESSION_COOKIE_NAME}=whatever"})
        assert answer.status_code == 500
        assert "Something broke on our side" in answer.content.decode()
