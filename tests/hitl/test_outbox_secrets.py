import base64

import pytest

from hitl.outbox import secrets


def test_a_secret_has_the_form_that_receivers_libraries_take():
    secret = secrets.new()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret != secrets.new()


def test_what_is_stored_does_not_show_the_secret():
    secret = secrets.new()
    sealed = secrets.seal(secret)
    assert secret.removeprefix("whsec_").encode() not in sealed
    assert secrets.unseal(sealed) == secret


def test_a_changed_key_of_the_installation_is_survived_through_the_fallbacks(settings):
    sealed = secrets.seal("whsec_c2VjcmV0")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    assert secrets.unseal(sealed) == "whsec_c2VjcmV0"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(secrets.Unreadable, match="Make a new secret"):
        secrets.unseal(sealed)
