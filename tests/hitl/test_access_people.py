from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import grants, links, people, roster, tenants
from hitl.audit.models import AuditEvent
from hitl.models import AuthorityGrant, Tenant, User
from queues.doors import queues
from tests.factories.codebook import CodebookFactory
from tests.factories.hitl import PASSWORD, TenantFactory, UserFactory
from tests.factories.queues import QueueFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory(name="Ada", is_superuser=True)


def recorded(action):
    return AuditEvent.objects.filter(action=action)


class TestMakingAPerson:
    def test_gives_a_link_with_which_they_set_their_password(self, admin):
        made = people.create(by=admin, email="Noor@Example.org", name="Noor", languages=["DE-at", "en"])
        assert made.person.email == "noor@example.org"
        assert made.person.languages == ["de-AT", "en"]
        assert not made.person.has_usable_password()
        assert "Set your password" in Client().get(made.path, follow=True).content.decode()

    def test_is_on_the_audit_record_without_name_or_address(self, admin):
        made = people.create(by=admin, email="noor@example.org", name="Noor")
        event = recorded("person.created").get()
        assert (event.actor, event.subject) == (admin, f"person:{made.person.pk}")
        assert "noor" not in str(event.detail).lower()

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"email": "nobody"}, "valid email"),
            ({"email": "taken@example.org"}, "is here already"),
            ({"name": "  "}, "needs a name"),
            ({"languages": ["klingonese!"]}, "is not a language tag"),
            ({"time_zone": "Mars/Olympus"}, "no time zone"),
            ({"password": "short"}, "too short"),
        ],
    )
    def test_is_refused_whole_with_the_reason(self, admin, given, said):
        UserFactory(email="taken@example.org")
        before = User.objects.count()
        with pytest.raises(people.Refused, match=said):
            people.create(by=admin, **{"email": "noor@example.org", "name": "Noor", **given})
        assert User.objects.count() == before

    def test_is_for_administrators(self):
        with pytest.raises(people.Refused, match="Only an administrator"):
            people.create(by=UserFactory(), email="noor@example.org", name="Noor")

    def test_the_first_one_is_made_from_the_command_line(self):
        first = people.create_administrator(email="ada@example.org", password=PASSWORD)
        assert first.is_superuser
        assert first.check_password(PASSWORD)
        assert recorded("person.created").get().actor_name == "set-up"


class TestClosingAnAccount:
    def test_ends_every_session_for_good(self, admin, sign_in):
        person = UserFactory()
        person.set_password(PASSWORD)
        person.save()
        client = sign_in(person)
        people.deactivate(by=admin, person=person)
        assert client.get("/password/").status_code == 302
        people.reactivate(by=admin, person=person)
        assert client.get("/password/").status_code == 302

    def test_keeps_what_they_were_granted_for_when_it_is_opened_again(self, admin):
        person, queue = UserFactory(), QueueFactory()
        grants.grant(by=admin, person=person, permission="review_queue", thing=queue)
        people.deactivate(by=admin, person=person)
        person.refresh_from_db()
        assert not queues(person).exists()
        again = people.reactivate(by=admin, person=person)
        assert queues(again.person).get() == queue
        assert not again.person.has_usable_password()

    def test_kills_links_given_out_before(self, admin):
        person = UserFactory()
        path = links.path_for(person)
        people.deactivate(by=admin, person=person)
        assert "does not work any more" in Client().get(path).content.decode()

    def test_is_not_for_oneself_nor_for_the_last_administrator(self, admin):
        with pytest.raises(people.Refused, match="your own account"):
            people.deactivate(by=admin, person=admin)
        with pytest.raises(people.Refused, match="only administrator"):
            people.deactivate(by=None, person=admin)
        with pytest.raises(people.Refused, match="for yourself"):
            people.set_administrator(by=admin, person=admin, administrator=False)


class TestAuthorities:
    def test_are_granted_until_a_time_and_taken_back(self, admin):
        person, tenant = UserFactory(), TenantFactory()
        until = timezone.now() + timedelta(days=30)
        held = people.grant_authority(
            by=admin, person=person, authority="finance.refund.L2", tenant=tenant, until=until
        )
        assert (held.user, held.tenant, held.until, held.granted_by) == (person, tenant, until, admin)
        people.revoke_authority(by=admin, held=held)
        assert not AuthorityGrant.objects.exists()
        assert [
            event.detail["authority"] for event in recorded("authority.granted") | recorded("authority.revoked")
        ] == ["finance.refund.L2"] * 2

    def test_granted_again_it_is_one_grant_with_the_new_end(self, admin):
        person = UserFactory()
        people.grant_authority(
            by=admin, person=person, authority="finance.L1", until=timezone.now() + timedelta(days=1)
        )
        people.grant_authority(by=admin, person=person, authority="finance.L1")
        assert AuthorityGrant.objects.get().until is None

    def test_are_never_ones_own_to_change(self, admin):
        with pytest.raises(people.Refused, match="Nobody grants themselves"):
            people.grant_authority(by=admin, person=admin, authority="finance.refund.L2")
        held = people.grant_authority(by=None, person=admin, authority="finance.refund.L2")
        with pytest.raises(people.Refused, match="their own authorities"):
            people.revoke_authority(by=admin, held=held)

    @pytest.mark.parametrize("authority", ["", "Finance", "finance.refund.L0", "finance refund", "finance.refund.L2\n"])
    def test_have_a_form(self, admin, authority):
        with pytest.raises(people.Refused, match="is not an authority"):
            people.grant_authority(by=admin, person=UserFactory(), authority=authority)

    def test_a_time_that_is_over_is_refused(self, admin):
        with pytest.raises(people.Refused, match="over already"):
            people.grant_authority(by=admin, person=UserFactory(), authority="finance.L1", until=timezone.now())


class TestGrants:
    def test_know_every_kind_of_thing_that_has_permissions(self):
        assert {name: [codename for codename, _ in kind.permissions] for name, kind in grants.kinds().items()} == {
            "tenant": ["work_in_tenant", "lead_tenant", "reveal_tenant"],
            "queue": ["review_queue", "lead_queue", "approve_queue"],
            "codebook": ["read_codebook"],
        }

    def test_are_given_and_taken_back_one_by_one(self, admin):
        person, queue = UserFactory(), QueueFactory()
        grants.grant(by=admin, person=person, permission="review_queue", thing=queue)
        assert queues(person).get() == queue
        grants.revoke(by=admin, person=person, permission="review_queue", thing=queue)
        assert not queues(person).exists()
        assert recorded("grant.given").get().queue_id == queue.pk
        assert recorded("grant.taken").get().detail == {"permissions": [f"review_queue queue:{queue.pk}"]}

    def test_of_one_kind_are_set_all_at_once_and_only_what_changed_is_recorded(self, admin):
        person, kept, gone, new = UserFactory(), QueueFactory(), QueueFactory(), QueueFactory()
        for queue in (kept, gone):
            grants.grant(by=admin, person=person, permission="review_queue", thing=queue)
        kind = grants.kinds()["queue"]
        wanted = {kept.pk: {"review_queue"}, new.pk: {"lead_queue"}}
        assert grants.set_all(by=admin, person=person, kind=kind, wanted=wanted) == (1, 1)
        assert grants.held([person], kind)[person.pk] == wanted
        assert recorded("grant.given").count() == 3
        assert recorded("grant.taken").get().detail == {"permissions": [f"review_queue queue:{gone.pk}"]}

    def test_on_what_is_not_there_are_refused_whole(self, admin):
        person, queue = UserFactory(), QueueFactory()
        kind = grants.kinds()["queue"]
        with pytest.raises(people.Refused, match="Nothing was changed"):
            grants.set_all(by=admin, person=person, kind=kind, wanted={queue.pk: {"lead_queue"}, 0: {"lead_queue"}})
        with pytest.raises(people.Refused, match="no permission"):
            grants.grant(by=admin, person=person, permission="lead_tenant", thing=queue)
        assert not grants.held([person], kind)[person.pk]

    def test_are_for_administrators(self):
        lead = UserFactory()
        with pytest.raises(people.Refused):
            grants.grant(by=lead, person=lead, permission="lead_queue", thing=QueueFactory())


class TestTenants:
    def test_are_made_with_a_short_name_that_can_stand_in_an_address(self, admin):
        assert tenants.create(by=admin, slug="acme-energy").name == "Acme Energy"
        for slug in ("acme-energy", "Acme", "a b", "new", "", "x" * 61):
            with pytest.raises(people.Refused):
                tenants.create(by=admin, slug=slug)
        assert Tenant.objects.count() == 1


class TestTheScreens:
    def test_the_table_says_who_may_do_what(self, admin, sign_in):
        person, queue, tenant = UserFactory(name="Noor"), QueueFactory(name="Billing"), TenantFactory(name="Acme")
        for permission, thing in (("lead_queue", queue), ("review_queue", queue), ("work_in_tenant", tenant)):
            grants.grant(by=admin, person=person, permission=permission, thing=thing)
        people.grant_authority(by=admin, person=person, authority="finance.refund.L2", tenant=tenant)
        page = sign_in(admin).get("/people/").content.decode()
        for said in ("Noor", "Billing", "decides, runs it", "works in it", "finance.refund.L2", "never"):
            assert said in page

    def test_the_table_takes_the_same_number_of_statements_for_many_people(self, admin, django_assert_max_num_queries):
        queue, tenant, codebook = QueueFactory(), TenantFactory(), CodebookFactory()
        for person in UserFactory.create_batch(12):
            grants.grant(by=None, person=person, permission="review_queue", thing=queue)
            grants.grant(by=None, person=person, permission="lead_tenant", thing=tenant)
            grants.grant(by=None, person=person, permission="read_codebook", thing=codebook)
        with django_assert_max_num_queries(8):
            entries = roster.entries(list(User.objects.all()), timezone.now())
        assert len(entries) == 14

    def test_a_new_person_gets_a_link_shown_once(self, admin, sign_in):
        client = sign_in(admin)
        form = {"email": "noor@example.org", "name": "Noor", "languages": "en, de", "time_zone": "Europe/Berlin"}
        page = client.post("/people/new/", form).content.decode()
        person = User.objects.get(email="noor@example.org")
        assert person.languages == ["de", "en"]
        assert "http://testserver/welcome/" in page
        assert "/welcome/" not in client.get(f"/people/{person.pk}/").content.decode()

    def test_what_was_typed_wrong_is_said_beside_the_field_and_kept(self, admin, sign_in):
        form = {"email": "noor@example.org", "name": "Noor", "languages": "en, qqqq!", "time_zone": "UTC"}
        answer = sign_in(admin).post("/people/new/", form)
        assert answer.status_code == 422
        assert "“qqqq!” is not a language tag" in answer.content.decode()
        assert 'value="noor@example.org"' in answer.content.decode()

    def test_permissions_are_ticked_in_place(self, admin, sign_in):
        person, queue, other = UserFactory(), QueueFactory(), QueueFactory()
        client = sign_in(admin)
        client.post(
            f"/people/{person.pk}/permissions/queue/", {"review_queue": [queue.pk, other.pk], "lead_queue": queue.pk}
        )
        assert grants.held([person], grants.kinds()["queue"])[person.pk] == {
            queue.pk: {"review_queue", "lead_queue"}, other.pk: {"review_queue"},
        }  # fmt: skip
        assert client.get(f"/people/{person.pk}/").content.decode().count(" checked") == 3
        assert client.post(f"/people/{person.pk}/permissions/user/").status_code == 404

    @pytest.mark.parametrize("value", ["x", "-1", "٣", "9" * 30])
    def test_a_forged_tick_changes_nothing(self, admin, sign_in, value):
        person = UserFactory()
        answer = sign_in(admin).post(f"/people/{person.pk}/permissions/queue/", {"lead_queue": value}, follow=True)
        assert "Nothing was changed" in answer.content.decode()

    def test_an_account_is_described_closed_opened_and_raised(self, admin, sign_in):
        person, client = UserFactory(), sign_in(admin)
        client.post(f"/people/{person.pk}/profile/", {"name": "Nour", "languages": "fr", "time_zone": "Europe/Paris"})
        client.post(f"/people/{person.pk}/administrator/", {"administrator": "yes"})
        client.post(f"/people/{person.pk}/deactivate/")
        person.refresh_from_db()
        assert (person.name, person.languages, person.is_superuser, person.is_active) == ("Nour", ["fr"], True, False)
        assert "is closed" in client.post(f"/people/{person.pk}/link/", follow=True).content.decode()
        assert "/welcome/" in client.post(f"/people/{person.pk}/reactivate/").content.decode()
        assert "/welcome/" in client.post(f"/people/{person.pk}/link/").content.decode()

    def test_an_authority_is_granted_and_taken_back(self, admin, sign_in):
        person, client = UserFactory(), sign_in(admin)
        url = f"/people/{person.pk}/authorities/"
        assert "is not an authority" in client.post(url, {"authority": "Boss"}).content.decode()
        client.post(url, {"authority": "finance.refund.L2", "until": (timezone.now() + timedelta(days=9)).date()})
        held = person.authorities.get()
        client.post(f"{url}{held.pk}/revoke/")
        assert not person.authorities.exists()

    def test_nobody_grants_themselves_an_authority_not_even_by_hand(self, admin, sign_in):
        answer = sign_in(admin).post(f"/people/{admin.pk}/authorities/", {"authority": "finance.refund.L2"})
        assert answer.status_code == 422
        assert not AuthorityGrant.objects.exists()

    def test_a_hostile_name_is_only_text(self, admin, sign_in):
        person = UserFactory(name='<img src=x onerror="alert(1)">')
        for url in ("/people/", f"/people/{person.pk}/"):
            assert "<img src=x" not in sign_in(admin).get(url).content.decode()

    def test_are_not_there_for_anybody_else(self, sign_in):
        lead = UserFactory()
        for url in ("/people/", "/people/new/", f"/people/{lead.pk}/", "/tenants/new/"):
            assert sign_in(lead).get(url).status_code == 404
