import pytest
from django.urls import reverse

from tests.factories.codebook import CodebookFactory, published
from tests.factories.drift import report_on
from tests.factories.hitl import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def codebook():
    book = CodebookFactory()
    published(codebook=book)
    return book


def shown(client, name, *args):
    return client.get(reverse(name, args=args)).content.decode()


class TestTheReviewers:
    def test_kappa_its_interval_and_its_cases_with_the_alarming_first(self, sign_in, codebook):
        report_on(codebook, UserFactory(name="Steady Stella"), kappa=0.9)
        report_on(codebook, UserFactory(name="Wandering Walter"), kappa=0.3, pairs=24, alarm=True)
        page = shown(sign_in(codebook.owner), "codebook_drift", codebook.slug)
        for words in (
            "0.30",
            "0.10 to 0.50",
            "24",
            "1 reviewer decides too many old cases differently",
            "no alarm",
            "version 1",
        ):
            assert words in page
        assert page.index("Wandering Walter") < page.index("Steady Stella")

    def test_before_the_first_answer_it_says_when_it_begins(self, sign_in, codebook):
        page = shown(sign_in(codebook.owner), "codebook_drift", codebook.slug)
        assert "Nobody was asked again yet" in page
        assert "28 days after" in page

    def test_of_a_reviewer_only_the_last_report_is_shown(self, sign_in, codebook):
        walter = UserFactory(name="Walter")
        report_on(codebook, walter, kappa=0.11)
        report_on(codebook, walter, kappa=0.77)
        page = shown(sign_in(codebook.owner), "codebook_drift", codebook.slug)
        assert "0.77" in page
        assert "0.11" not in page

    def test_what_cannot_be_said_is_said_in_words(self, sign_in, codebook):
        walter = UserFactory(name="Walter")
        report_on(codebook, walter)
        page = shown(sign_in(codebook.owner), "codebook_drift_reviewer", codebook.slug, walter.pk)
        assert "Cannot be said yet: no old case was decided again yet." in page
        assert "version 1" in page

    def test_an_alarm_says_what_to_do(self, sign_in, codebook):
        walter = UserFactory(name="Walter")
        report_on(codebook, walter, alarm=True)
        page = shown(sign_in(codebook.owner), "codebook_drift_reviewer", codebook.slug, walter.pk)
        assert "alignment session" in page
        assert "decides differently" in page

    def test_for_the_owner_alone(self, sign_in, codebook):
        walter = UserFactory(name="Walter")
        report_on(codebook, walter)
        for name, args in (("codebook_drift", ()), ("codebook_drift_reviewer", (walter.pk,))):
            assert sign_in(walter).get(reverse(name, args=[codebook.slug, *args])).status_code == 404
        assert sign_in(codebook.owner).get(
            reverse("codebook_drift_reviewer", args=[codebook.slug, codebook.owner.pk])
        ).status_code == 404  # fmt: skip

    def test_as_much_is_asked_for_many_reviewers_as_for_one(self, sign_in, codebook, django_assert_max_num_queries):
        for reviewer in UserFactory.create_batch(5):
            report_on(codebook, reviewer)
        client = sign_in(codebook.owner)
        with django_assert_max_num_queries(9):
            shown(client, "codebook_drift", codebook.slug)
        with django_assert_max_num_queries(9):
            shown(client, "codebook_drift_reviewer", codebook.slug, reviewer.pk)


class TestOnesOwn:
    def test_a_person_sees_how_steady_they_are_with_n_and_interval(self, sign_in, codebook):
        walter = UserFactory()
        report_on(codebook, walter, pairs=12, same=9, alarm=True)
        page = shown(sign_in(walter), "decisions")
        assert "Of 12 cases of your own" in page
        assert "you gave 9 the same verdict: 75% (95%: 47% to 91%)" in page
        assert "alarm" not in page.split("How steady")[1].split("</main>")[0]

    def test_not_before_ten_cases_and_nobody_elses(self, sign_in, codebook):
        walter = UserFactory()
        report_on(codebook, walter, pairs=9, same=9)
        report_on(codebook, UserFactory(), pairs=30, same=9)
        assert "How steady" not in shown(sign_in(walter), "decisions")
