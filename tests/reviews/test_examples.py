import pytest
from django.urls import reverse

from codebook.models import Category
from tests.factories.hitl import grant
from tests.factories.reading import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading():
    return Reading()


def take(client, reading, about, **fields):
    data = {
        "case": about.pk, "category": "tone", "field": "edge_case", "text": about.question,
        "back": reverse("case", args=[about.pk]), **fields,
    }  # fmt: skip
    return client.post(reverse("codebook_example", args=[reading.codebook.slug]), data, follow=True)


def test_the_owner_takes_a_text_of_a_case_into_the_draft(sign_in, reading):
    case = reading.decided()
    page = take(sign_in(reading.owner), reading, case, text=f"{case.question} Mail to jane@example.org")
    assert "It is in the draft now: “Tone”, looks like one, is not." in page.content.decode()
    stored = Category.objects.get(version__state="draft", key="tone")
    assert case.question in stored.edge_case
    assert "jane@" not in stored.edge_case
    assert not Category.objects.get(version=reading.version, key="tone").edge_case


def test_the_form_is_beside_the_case_and_warns_who_will_read_it(sign_in, reading):
    case = reading.decided("edit")
    page = sign_in(reading.owner).get(reverse("case", args=[case.pk])).content.decode()
    for words in ("Use the question as an example", "Use the draft as an example", "Use the final answer as an example",
                  "in every tenant that uses it"):  # fmt: skip
        assert words in page


def test_nobody_else_is_offered_it(sign_in, reading):
    case = reading.decided()
    lead = grant(reading.reviewer, "lead_queue", reading.queue)
    assert "as an example" not in sign_in(lead).get(reverse("case", args=[case.pk])).content.decode()
    assert take(sign_in(lead), reading, case).status_code == 404


def test_on_ones_own_decision_the_owner_is_offered_it_too(sign_in, reading):
    grant(reading.owner, "review_queue", reading.queue)
    case = reading.decided("edit", reviewer=reading.owner)
    page = sign_in(reading.owner).get(reverse("decision_amend", args=[case.slots.get().pk])).content.decode()
    assert "Use the final answer as an example" in page


def test_a_case_that_the_owner_may_not_see_gives_no_example(sign_in, reading):
    other = Reading()
    assert take(sign_in(reading.owner), reading, other.decided()).status_code == 404
    assert take(sign_in(reading.owner), reading, reading.decided(), case="x").status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"field": "title"}, "what it is an example of"),
        ({"category": "nope"}, "no such category"),
        ({"text": "  "}, "no text to add"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_in_words(sign_in, reading, fields, words):
    case = reading.decided()
    assert words in take(sign_in(reading.owner), reading, case, **fields).content.decode()
    assert not Category.objects.exclude(edge_case="").exists()


def test_it_leads_back_to_nowhere_else(sign_in, reading):
    case = reading.decided()
    there = take(sign_in(reading.owner), reading, case, back="//evil.example/")
    assert there.redirect_chain[-1][0] == reverse("decisions")
