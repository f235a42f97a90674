"""What the log says of a request: the kind of address, never the address."""

import logging

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere/ann.lee@example.org/", "an address that is not there"),
        ("/api/v1/cases/ann.lee@example.org", "/api/v1/cases/<"),
        ("/tenants/ann.lee@example.org/", "an address that is not there"),
    ],
)
def test_an_address_is_not_logged(client, caplog, path, said):
    caplog.set_level(logging.DEBUG)
    client.get(path)
    assert said in caplog.text
    assert "ann.lee" not in caplog.text
