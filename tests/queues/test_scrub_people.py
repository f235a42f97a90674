"""Names of persons and postal addresses: where a text says that one comes, and by lists where that is wanted."""

import pytest

from queues.scrub import scrub, scrub_tree

KEY = b"tenant one"
EVERYTHING = frozenset()


def found(text: str, **options) -> list[tuple[str, str]]:
    return [(finding.kind, text[finding.start : finding.end]) for finding in scrub(text, key=KEY, **options).found]


def clean(text: str, **options) -> str:
    return scrub(text, key=KEY, **options).text


class TestNamesThatAreSaid:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("My name is Anna Kowalska and I wait.", "Anna Kowalska"), ("my name is rubija", "rubija"),
            ("Ich heiße Uwe Müller.", "Uwe Müller"),
            ("je m'appelle Zoë", "Zoë"), ("Hi, I'm Anna, and I wait", "Anna"), ("this is Priya Sharma from billing",
            "Priya Sharma"),
            ("Dear Ms. Adeyemi,", "Adeyemi"), ("Dear Qvist,\nyour refund", "Qvist"), ("Hello Anna,", "Anna"),
            ("Sehr geehrter Herr Dr. Qvist,", "Qvist"),
            ("I spoke to Mr Jean-Luc Picard yesterday", "Jean-Luc Picard"), ("Kind regards,\nAnna K. Maier",
            "Anna K. Maier"),
            ("Mit freundlichen Grüßen\nUwe Qvist", "Uwe Qvist"), ("Thanks, Anna", "Anna"),
            ("Name: Anna Maier\nCity: Rome", "Anna Maier"),
            ('{"first_name": "Qwen", "age": 3}', "Qwen"), ("Patient name: Qvist", "Qvist"),
            ("Herr von der Leyen kommt", "von der Leyen"),
            ("It is Mrs. O'Brien's order", "O'Brien"),
        ],
    )  # fmt: skip
    def test_are_found(self, text, name):
        assert found(text) == [("name", name)]

    @pytest.mark.parametrize(
        "text",
        [
            "Dear Customer,", "Dear Sir or Madam,", "Hello World!", "Hi there", "I'm Sorry", "I am Happy to help",
            "I miss Paris", "MS Word",
            "ms of delay", "Thanks,\nSupport", "Best Western", "This is Important", "My name is not on it",
            '{"name": "Water Bottle"}',
            "name: crm", "the dr is out", "Product name: Smart Watch", "from: the start", "Hey Siri, play it",
            "It's Monday",
            "Hello Kitty sells well", "Dear All,", "The name is wrong", "Best regards",
        ],
    )  # fmt: skip
    def test_other_words_stay(self, text):
        assert found(text) == []

    def test_a_field_says_it_too(self):
        assert found("from: Anna Maier <x>") == [("name", "Anna Maier")]

    def test_who_is_named_once_is_known_wherever_the_full_name_stands(self):
        found = scrub("My name is Rosa Diaz. Why does Rosa Diaz pay twice, and not Rosa Diazmann? Rosa asks.", key=KEY)
        token = found.found[0].token
        assert found.text == f"My name is {token}. Why does {token} pay twice, and not Rosa Diazmann? Rosa asks."

    def test_in_every_text_of_a_row_also_before_the_name_was_said(self):
        row = {"draft": "Rosa Diaz gets it.", "question": "My name is Rosa Diaz.", "quotes": [["for Rosa Diaz", None]]}
        tree = scrub_tree(row, key=KEY)
        (token,) = tree.taken
        said = {"draft": f"{token} gets it.", "question": f"My name is {token}.", "quotes": [[f"for {token}", None]]}
        assert tree.value == said
        assert tree.counts == {"name": 3}

    def test_the_same_person_is_the_same_token(self):
        assert clean("Dear Ms. José Pérez,").split()[-1] == clean("dear Ms. JOSÉ PÉREZ,").split()[-1]
        assert clean("Mr Jose Perez").split()[-1] == clean("Mr José Pérez").split()[-1]


class TestNamesThatAreKnown:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("Then Agnieszka Nowakowska called", "Agnieszka Nowakowska"), ("said Oona to Kimberly", "Oona"),
            ("for Mark Simmons it is", "Mark Simmons"),
            ("with Rose Nekrasova there", "Rose Nekrasova"), ("George W. Qvist came", "George W. Qvist"),
        ],
    )  # fmt: skip
    def test_are_found_only_where_that_is_wanted(self, text, name):
        assert ("name", name) in found(text, leave=EVERYTHING)
        assert found(text) == []

    @pytest.mark.parametrize(
        "text",
        [
            "in San Diego", "on Anderson Street", "Will you mark it in May?", "Grace Period applies",
            "the Hudson River", "Paris in April", "Victoria Station",
            "Python and Java", "Santa Barbara", "the Darwin Award",
        ],
    )  # fmt: skip
    def test_words_places_and_things_stay(self, text):
        assert found(text, leave=EVERYTHING) == []


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("Send it to 221B Baker Street, London NW1 6XE please", "221B Baker Street, London NW1 6XE"),
            ("at 1600 Pennsylvania Ave NW, Washington, DC 20500.", "1600 Pennsylvania Ave NW, Washington, DC 20500"),
            ("Ich wohne Musterstraße 12a, 10115 Berlin.", "Musterstraße 12a, 10115 Berlin"),
            ("in der Langen Gasse 5 ist", "der Langen Gasse 5"),
            ("Am Alten Markt 5", "Am Alten Markt 5"), ("au 12 bis, rue de la Paix, 75002 Paris",
            "12 bis, rue de la Paix, 75002 Paris"),
            ("in Via Roma 12, 00184 Roma", "Via Roma 12, 00184 Roma"), ("P.O. Box 4711 it is", "P.O. Box 4711"),
            ("postcode SW1A 1AA ok", "SW1A 1AA"),
            ("from San Jose, CA 95154 it", "San Jose, CA 95154"), ("My address is 5 Qvistgata, Oslo",
            "5 Qvistgata, Oslo"),
            ("Billing address:\n  Fagradalsbraut 71\n  Reykjavik 101\n\nThanks",
            "Fagradalsbraut 71\n  Reykjavik 101"),
            ("Adresse: Qvistkroken 7, 0452 Oslo; danke", "Qvistkroken 7, 0452 Oslo"), ("at Qvistkroken 7, Apt. 12",
            "Qvistkroken 7, Apt. 12"),
        ],
    )  # fmt: skip
    def test_are_found(self, text, address):
        assert found(text) == [("address", address)]

    @pytest.mark.parametrize(
        "text",
        [
            "12 working days", "3 ways to go", "5 Star rating", "the road to 2030", "I am 5 years old",
            "Street Fighter 6",
            "your IP address is wrong", "my email address changed 2 times", "address the 3 points",
            "Platz 3 im Rennen", "Im Jahr 2024 war", "in 2024 we lived at peace",
            "via Zoom at 10", "Highway 61 revisited", "Apartment hunting", "page 12 of St. Augustine", "2 Drive bays",
            "send it to 12 people", "memory address 0x7ffe12", "Box 5 is empty", "A4 paper",
        ],
    )  # fmt: skip
    def test_other_texts_stay(self, text):
        assert found(text) == []

    def test_the_same_address_is_the_same_token_however_written(self):
        assert clean("12 Baker St") == clean("12 Baker Street")
        assert clean("Große Str. 5") == clean("Große Straße 5")

    def test_may_be_left_alone(self):
        assert found("at 12 Baker Street", leave=frozenset(("address",))) == []
