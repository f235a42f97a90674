import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from guardian.shortcuts import assign_perm

from reviews.templatetags import nav
from tests.factories.codebook import CodebookFactory
from tests.factories.hitl import UserFactory
from tests.factories.queues import LaneFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db


def shown(user, path="/"):
    request = RequestFactory().get(path)
    request.user = user
    return Template("{% include '_nav.html' %}").render(Context({"request": request, "user": user}))


def there(name):
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


class TestThePlacesOfAPerson:
    def test_are_none_without_any_permission(self):
        assert nav.may(UserFactory()) == frozenset()
        assert nav.may(AnonymousUser()) == frozenset()
        assert "<a" not in shown(UserFactory())

    def test_follow_from_what_they_were_granted(self):
        lane = LaneFactory()
        assert nav.may(reviewer_of(lane)) == {"review_queue", "work_in_tenant"}
        assert nav.may(lead_of(lane)) == {"review_queue", "work_in_tenant", "lead_queue", "lead_tenant"}
        assert nav.may(CodebookFactory().owner) == {"read_codebook"}

    def test_follow_from_what_their_group_was_granted(self):
        person, team = UserFactory(), Group.objects.create(name="Team")
        person.groups.add(team)
        assign_perm("review_queue", team, LaneFactory().queue)
        assert nav.may(person) == {"review_queue"}

    def test_are_all_for_an_administrator_and_people_for_nobody_else(self):
        assert there("people") in shown(UserFactory(is_superuser=True))
        assert there("people") not in shown(lead_of(LaneFactory()))

    def test_lead_only_to_what_is_there(self):
        page = shown(UserFactory(is_superuser=True))
        for words, name, _ in nav.PLACES:
            assert (f">{words}</a>" in page) is bool(there(name))

    def test_say_where_one_is(self):
        assert 'href="/tenants/" aria-current="page"' in shown(UserFactory(is_superuser=True), "/tenants/acme/")

    def test_cost_one_statement_a_page_and_none_for_an_administrator(self, django_assert_num_queries):
        lead, admin = lead_of(LaneFactory()), UserFactory(is_superuser=True)
        request = RequestFactory().get("/")
        request.user = lead
        with django_assert_num_queries(1):
            nav.main_nav({"request": request})
            nav.main_nav({"request": request})
        with django_assert_num_queries(0):
            shown(admin)
