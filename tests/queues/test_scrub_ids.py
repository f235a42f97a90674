"""National ids, passports, licences, plates: by check digit, by form, by the words before them, and not otherwise."""

import pytest

from queues.scrub import scrub

KEY = b"tenant one"


def found(text: str, **options) -> list[tuple[str, str]]:
    return [(finding.kind, text[finding.start : finding.end]) for finding in scrub(text, key=KEY, **options).found]


def clean(text: str) -> str:
    return scrub(text, key=KEY).text


class TestNationalIds:
    @pytest.mark.parametrize(
        "text",
        [
            "219-09-9998", "AB 12 34 56 C", "AB123456C", "X1234567L", "RSSMRA85T10A562S", "S1234567D", "131052-308T",
            "65070803A019", "ABCPE1234F", "1 84 12 76 451 089 46", "756.9217.0769.85", "529.982.247-25",
            "811228-9874", "736028/5163", "1EG4-TE5-MK73", "93.05.18-223.61",
        ],
    )  # fmt: skip
    def test_a_form_made_to_be_told_apart_counts_wherever_it_stands(self, text):
        assert found(f"He gave {text} to us") == [("national_id", text)]

    @pytest.mark.parametrize(
        ("text", "region"),
        [
            ("86095742719", "DE"), ("44051401458", "PL"), ("943 476 5919", "GB"), ("12345678Z", "ES"),
            ("130 692 544", "CA"), ("2345 6789 0124", "IN"), ("8001015009087", "ZA"), ("10000000146", "TR"),
        ],
    )  # fmt: skip
    def test_digits_alone_count_in_their_country(self, text, region):
        assert found(f"He gave {text} to us", regions=(region,)) == [("national_id", text)]
        assert found(f"He gave {text} to us", regions=("AT",)) == []

    @pytest.mark.parametrize("text", ["44051401458", "10000000146", "123-45-6789"])
    def test_and_where_they_are_all_that_is_said(self, text):
        assert found(text, regions=("AT",)) == [("national_id", text)]

    @pytest.mark.parametrize(
        "text",
        [
            "SSN {}", "my social security number is {}", "Steuer-ID: {}", "Sozialversicherungsnummer {}",
            "NHS number {}",
            "PESEL {}", "BSN: {}", "numéro de sécurité sociale : {}", "DNI {}", "Tax ID {}", "IdNr. {}", "Aadhaar {}",
            "national id {}", "TCKN numarası {}", "{} is my SSN",
        ],
    )  # fmt: skip
    def test_any_number_counts_where_the_words_say_so_mistyped_too(self, text):
        assert found(text.format("123456780")) == [("national_id", "123456780")]

    @pytest.mark.parametrize(
        "text",
        [
            "order 44051401458", "ticket 219-09-9998", "86095742718", "123 456 789", "12345678A", "S1234567A",
            "000-12-3456",
            "666-12-3456", "ref AB123456", "GB 12 34 56 78", "part 12345678Z-4", "sin 12345678 dudas",
            "It was a sin to buy 1234567",
            "PNR 1234567", "2024-05-06 12:30", "a tax of 1,234,567", "the pan holds 123456 ml", "version 1.23.456.7",
            "user_12345678Z", "id: 550e8400-e29b-41d4-a716-446655440000", "1EG4TE5MK7", "4111111111",
        ],
    )  # fmt: skip
    def test_other_numbers_stay(self, text):
        assert found(f"It says {text} there") == []

    def test_the_same_id_is_the_same_token_however_written(self):
        assert clean("219-09-9998") == clean("SSN 219 09 9998").removeprefix("SSN ")
        assert clean("AB 12 34 56 C") == clean("AB123456C")
        assert clean("943 476 5919") == clean("NHS number 9434765919").removeprefix("NHS number ")


class TestDocuments:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("passport number: 925076473", "925076473"), ("Reisepass C01X00T47", "C01X00T47"),
            ("my passport is A 1234 5678", "A 1234 5678"), ("Passeport n° 12AB34567", "12AB34567"),
            ("my driver's license number is U62928788557186", "U62928788557186"),
            ("Driving licence MORGA657054SM9IJ", "MORGA657054SM9IJ"), ("Führerschein: B072RRE2I55", "B072RRE2I55"),
            ("Personalausweis L01X00T471", "L01X00T471"), ("identity card no. 591-1234567", "591-1234567"),
        ],
    )  # fmt: skip
    def test_are_found_where_they_are_called_so(self, text, value):
        assert found(f"{text} ok") == [("document", value)]

    @pytest.mark.parametrize(
        "text",
        [
            "licensed in 2010 under the MIT License", "License: MIT 2.0", "a passport to success in 1999",
            "license in 2010",
            "your passport expires 2024-05-06", "id card required", "a license for all",
        ],
    )  # fmt: skip
    def test_words_about_them_stay(self, text):
        assert found(text) == []

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("license plate 7ABC123", "7ABC123"),
            ("Kennzeichen B-MW 1234", "B-MW 1234"),
            ("I saw AB51 ABC leave", "AB51 ABC"),
        ],
    )
    def test_plates_are_found(self, text, value):
        assert found(text) == [("plate", value)]

    @pytest.mark.parametrize("text", ["plate of 12 oysters", "registration closes at 5", "the home plate", "AB51 abc"])
    def test_and_nothing_else_on_a_plate(self, text):
        assert found(text) == []


class TestBirthDates:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("date of birth: 1976-06-27", "1976-06-27"), ("DOB 06/27/1976", "06/27/1976"),
            ("born on 6 May 1984 in Rome", "6 May 1984"),
            ("geboren am 06.05.1984", "06.05.1984"), ("né le 6 mai 1984", "6 mai 1984"),
            ("My birthday is May 6, 1984", "May 6, 1984"),
            ("Please tell me your date of birth. It's 7/8/1990", "7/8/1990"), ("fecha de nacimiento: 06/05/1984",
            "06/05/1984"),
        ],
    )  # fmt: skip
    def test_are_found_where_they_are_called_so(self, text, value):
        assert found(text) == [("birthdate", value)]

    @pytest.mark.parametrize(
        "text",
        [
            "shipped on 1976-06-27",
            "born in 1879",
            "Einstein was born on 14 March 1879",
            "a born leader since 6 May 1984",
        ],
    )
    def test_other_dates_stay(self, text):
        assert found(text) == []


class TestMachines:
    @pytest.mark.parametrize(
        "text",
        [
            "203.0.113.77", "10.20.30.40", "2001:db8:0:0:8d3::4", "fe80::1ff:fe23:4567:890a",
            "684D:1111:222:3333:4444:5555:6:77",
        ],
    )  # fmt: skip
    def test_ip_addresses_are_found(self, text):
        assert found(f"It came from {text} today") == [("ip", text)]

    @pytest.mark.parametrize(
        "text",
        [
            "version 10.2.3.4", "v10.20.30.40", "section 4.12.3.1", "1.2.3.4", "127.0.0.1", "255.255.255.0", "::1",
            "12:30:45", "std::map",
            "text[::2]", "1.2.3.4.5", "10.20.30", "300.20.30.40", "firmware 10.20.30.40",
        ],
    )  # fmt: skip
    def test_versions_and_nobodys_addresses_stay(self, text):
        assert found(f"It says {text} there") == []

    def test_mac_addresses_and_wallets_are_found(self):
        assert found("card 00:1A:2B:3C:4D:5E here") == [("mac", "00:1A:2B:3C:4D:5E")]
        assert found("pay 16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ now") == [("wallet", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ")]
        assert found("pay 16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyA now") == []
        assert found("at 01:02:03 and 04-05-06") == []
