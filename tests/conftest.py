import os

import pytest
from django.test import Client

from tests.factories.hitl import PASSWORD, UserFactory

# pytest-playwright runs an event loop in the test's thread; Django's ORM is safe there, but cannot know it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sign_in():
    """A client signed in as the person given, or as a new one without any grant."""

    def signed_in(user=None) -> Client:
        client = Client()
        client.force_login(user or UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": "/usr/bin/chromium", "args": ["--no-sandbox"]}
