from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hitl import housekeeping
from hitl import settings as shipped
from hitl.access import links, middleware
from hitl.audit.models import AuditEvent
from tests.factories.hitl import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor():
    person = UserFactory(email="noor@example.org", name="Noor")
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(client, email="noor@example.org", password=PASSWORD, **more):
    return client.post(reverse("login"), {"username": email, "password": password, **more})


class TestSigningIn:
    def test_needs_address_and_password(self, client, noor):
        assert sign_in(client, " Noor@Example.org ").headers["Location"] == "/"
        assert int(client.session["_auth_user_id"]) == noor.pk

    def test_is_on_the_audit_record(self, client, noor):
        sign_in(client)
        assert AuditEvent.objects.filter(action="person.signed_in", actor=noor).count() == 1

    def test_a_wrong_password_says_no_more_than_that_the_two_do_not_belong_together(self, client, noor):
        known, unknown = sign_in(client, password="wrong"), sign_in(client, "nobody@example.org")
        for answer in (known, unknown):
            assert answer.status_code == 200
            assert "do not belong together" in answer.content.decode()

    def test_a_closed_account_cannot(self, client, noor):
        noor.is_active = False
        noor.save()
        assert sign_in(client).status_code == 200

    def test_gets_a_new_session_key(self, client, noor):
        client.get(reverse("login"))
        session = client.session
        session["planted"] = True
        session.save()
        before = session.session_key
        client.cookies["session"] = before
        sign_in(client)
        assert client.session.session_key != before

    @pytest.mark.parametrize(
        "where", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
    )
    def test_never_leads_to_another_site(self, client, noor, where):
        assert sign_in(client, next=where).headers["Location"] == "/"

    def test_leads_back_to_where_one_wanted_to_go(self, client, noor):
        asked = client.get(reverse("change_password"))
        assert asked.headers["Location"] == "/login/?next=/password/"
        assert sign_in(client, next="/password/").headers["Location"] == "/password/"

    def test_passwords_are_kept_as_argon2(self, settings):
        settings.PASSWORD_HASHERS = shipped.PASSWORD_HASHERS
        kept = make_password(PASSWORD)
        assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert check_password(PASSWORD, kept)


class TestGuessing:
    def test_is_stopped_after_eight_wrong_passwords_with_when_to_try_again(self, client, noor):
        statuses = [sign_in(client, password=f"wrong {n}").status_code for n in range(8)]
        assert statuses == [200] * 7 + [429]
        stopped = sign_in(client)
        assert stopped.status_code == 429
        assert 0 < int(stopped.headers["Retry-After"]) <= 15 * 60
        assert "Try again in 15 minutes, at " in stopped.content.decode()

    def test_another_spelling_of_the_address_is_no_new_start(self, client, noor):
        for n in range(7):
            sign_in(client, password=f"wrong {n}")
        assert sign_in(client, "NOOR@example.org ", password="wrong").status_code == 429

    def test_trying_while_stopped_does_not_make_it_longer(self, client, noor):
        for n in range(8):
            sign_in(client, password=f"wrong {n}")
        from_there = int(sign_in(client).headers["Retry-After"])
        assert int(sign_in(client).headers["Retry-After"]) <= from_there

    def test_of_one_person_does_not_stop_another(self, client, noor):
        for n in range(8):
            sign_in(client, "mallory@example.org", password=f"wrong {n}")
        assert sign_in(client).status_code == 302

    def test_one_guess_at_each_of_many_persons_is_stopped_too(self, client, noor, settings):
        settings.FAILURES_PER_ADDRESS = 16
        for n in range(16):
            sign_in(client, f"person{n}@example.org", password="Winter2026!!")
        assert sign_in(client).status_code == 429
        assert (
            Client(REMOTE_ADDR="10.0.0.9").post("/login/", {"username": noor.email, "password": PASSWORD}).status_code
            == 302
        )

    def test_behind_a_proxy_counts_the_address_that_the_proxy_saw(self, client, noor, settings):
        settings.BEHIND_PROXY = True
        for n in range(8):
            forged = f"1.2.3.{n}, 203.0.113.7"
            client.post("/login/", {"username": noor.email, "password": "wrong"}, headers={"X-Forwarded-For": forged})
        answer = client.post(
            "/login/",
            {"username": noor.email, "password": PASSWORD},
            headers={"X-Forwarded-For": "9.9.9.9, 203.0.113.7"},
        )
        assert answer.status_code == 429


class TestSessions:
    def test_end_twelve_hours_after_signing_in_whatever_is_written_to_them_later(self, client, noor):
        sign_in(client)
        session = client.session
        session["anything"] = 1
        session.save()
        left = Session.objects.get().expire_date - timezone.now()
        assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)

    def test_end_after_two_hours_in_which_nobody_worked(self, client, noor):
        sign_in(client)
        assert client.get("/password/").status_code == 200
        session = client.session
        session[middleware.SEEN] -= 2 * 3600 + 1
        session.save()
        assert client.get("/password/").status_code == 302
        assert Session.objects.count() == 0

    def test_of_an_account_that_was_closed_end(self, client, noor):
        sign_in(client)
        noor.is_active = False
        noor.save()
        assert client.get("/").status_code == 302

    def test_that_ended_are_worth_nothing_and_forgotten(self, client, noor):
        sign_in(client)
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        assert client.get("/").status_code == 302
        sign_in(Client())
        assert housekeeping.forget_sessions() == 1
        assert Session.objects.count() == 1

    def test_are_not_written_at_each_request(self, client, noor):
        sign_in(client)
        with CaptureQueriesContext(connection) as asked:
            client.get("/password/")
        assert [query["sql"] for query in asked if "UPDATE" in query["sql"] or "INSERT" in query["sql"]] == []

    def test_note_that_they_are_used_every_few_minutes(self, client, noor):
        sign_in(client)
        session = client.session
        session[middleware.SEEN] -= middleware.NOTED_EVERY
        was = session[middleware.SEEN]
        session.save()
        client.get("/password/")
        assert client.session[middleware.SEEN] > was

    @pytest.mark.parametrize("by_script", [{"HX-Request": "true"}, {"X-Review": "1"}, {"Sec-Fetch-Mode": "cors"}])
    def test_a_request_of_a_page_itself_gets_the_reason_and_the_way_back(self, client, by_script):
        answer = client.get("/password/", headers={**by_script, "Referer": "http://testserver/review/"})
        assert answer.status_code == 401
        assert "/login/?next=%2Freview%2F" in answer.content.decode()


class TestSigningOut:
    def test_ends_the_session(self, client, noor):
        sign_in(client)
        assert client.post(reverse("logout")).headers["Location"] == "/login/"
        assert Session.objects.count() == 0 or "_auth_user_id" not in client.session
        assert AuditEvent.objects.filter(action="person.signed_out", actor=noor).count() == 1

    def test_takes_a_post(self, client, noor):
        sign_in(client)
        assert client.get(reverse("logout")).status_code == 405
        assert "_auth_user_id" in client.session


class TestPasswords:
    def test_a_link_sets_the_password_once(self, client):
        person = UserFactory(email="new@example.org")
        path = links.path_for(person)
        new = {"new_password1": "a fine long password", "new_password2": "a fine long password"}
        form = client.get(path, follow=True)
        assert "set-password" in form.request["PATH_INFO"]
        assert client.post(form.request["PATH_INFO"], new).headers["Location"] == "/login/"
        assert sign_in(client, "new@example.org", "a fine long password").status_code == 302
        assert "does not work any more" in Client().get(path).content.decode()
        assert AuditEvent.objects.filter(action="person.password_set").count() == 1

    def test_a_link_is_good_for_three_days(self, client, monkeypatch):
        path = links.path_for(UserFactory())
        now = links.password_links._now()
        monkeypatch.setattr(links.PasswordLinks, "_now", lambda self: now + timedelta(days=3, seconds=2))
        assert "does not work any more" in client.get(path).content.decode()

    def test_a_weak_password_is_refused_with_the_reason(self, client):
        path = client.get(links.path_for(UserFactory()), follow=True).request["PATH_INFO"]
        answer = client.post(path, {"new_password1": "short", "new_password2": "short"})
        assert "too short" in answer.content.decode()

    def test_changing_it_ends_the_other_sessions_and_keeps_this_one(self, client, noor):
        elsewhere = Client()
        sign_in(client), sign_in(elsewhere)
        new = "another fine long one"
        client.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
        assert client.get("/password/").status_code == 200
        assert elsewhere.get("/password/").status_code == 302
        assert AuditEvent.objects.filter(action="person.password_changed", actor=noor).count() == 1

    def test_changing_it_needs_the_old_one(self, client, noor):
        sign_in(client)
        new = "another fine long one"
        answer = client.post("/password/", {"old_password": "wrong", "new_password1": new, "new_password2": new})
        assert answer.status_code == 200
        noor.refresh_from_db()
        assert noor.check_password(PASSWORD)
