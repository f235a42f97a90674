"""The scrub of whole structures: tool results, arguments, metadata."""

import pytest

from queues.scrub import scrub, scrub_tree

KEY = b"tenant one"
RANDOM40 = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12"


def clean(text: str) -> str:
    return scrub(text, key=KEY).text


def test_strings_in_values_keys_and_lists_are_scrubbed_and_counted():
    tree = {"ann@example.com": ["write bob@example.com", {"deep": ("020 7946 0958", None, True, 1.5)}], "n": 7}
    scrubbed = scrub_tree(tree, key=KEY)
    assert scrubbed.value == {
        clean("ann@example.com"): [
            clean("write bob@example.com"),
            {"deep": [clean("020 7946 0958"), None, True, 1.5]},
        ],
        "n": 7,
    }
    assert scrubbed.counts == {"email": 2, "phone": 1}


def test_the_given_structure_is_left_alone():
    tree = {"a": ["ann@example.com"]}
    scrub_tree(tree, key=KEY)
    assert tree == {"a": ["ann@example.com"]}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("phone", "5467 3395", "phone"), ("phoneNumber", "54673395", "phone"), ("password", "swordfish", "key"),
        ("api_key", RANDOM40, "key"), ("account_number", "12345678", "account"),
        ("accountNumber", "12345678", "account"),
        ("iban", "DE89370400440532013001", "iban"),
    ],
)  # fmt: skip
def test_a_key_tells_what_its_value_is(name, value, kind):
    scrubbed = scrub_tree({name: value, "other": value[::-1].lower()[:3]}, key=KEY)
    assert scrubbed.counts == {kind: 1}
    assert scrubbed.value[name].startswith(f"[{kind.upper()}_")


def test_names_of_keys_stay_and_harmless_values_too():
    tree = {
        "password": "",
        "phone": None,
        "token": "abc",
        "order_id": "2025550143",
        "created": "2024-05-06",
        "key": "Some Name",
    }
    assert scrub_tree(tree, key=KEY).value == tree


def test_a_card_given_as_a_number_is_found_and_other_numbers_stay():
    scrubbed = scrub_tree({"card": 4111111111111111, "ns": 1730800000000000000, "ok": True, "big": 10**40}, key=KEY)
    assert scrubbed.value == {
        "card": clean("4111111111111111"),
        "ns": 1730800000000000000,
        "ok": True,
        "big": 10**40,
    }


def test_keys_that_become_one_are_kept_apart():
    scrubbed = scrub_tree({"Ann@example.com": 1, "ann@example.com": 2}, key=KEY)
    token = clean("ann@example.com")
    assert scrubbed.value == {token: 1, f"{token} (2)": 2}


def test_any_depth():
    tree: list = ["ann@example.com"]
    for _ in range(20_000):
        tree = [tree]
    value = scrub_tree(tree, key=KEY).value
    for _ in range(20_000):
        value = value[0]
    assert value == [clean("ann@example.com")]


def test_twice_changes_nothing():
    tree = {"mail ann@example.com": {"password": "hunter2", "x": ["call 5467 3395"]}}
    once = scrub_tree(tree, key=KEY).value
    assert scrub_tree(once, key=KEY).value == once
