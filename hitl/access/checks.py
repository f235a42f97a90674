"""System checks of access: what must not start, whatever else is fine."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

SHORTEST_SECRET = 32
FEWEST_SIGNS = 10


def secret_is_strong(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Sessions, links and tokens of forms are signed with the secret key: whoever guesses it is everybody."""
    if all(map(_strong, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])):
        return []
    return [
        Error(
            "HITL_SECRET_KEY is too weak, or one of its predecessors: whoever guesses it can sign in as anybody.",
            hint="Leave it out, and hitl makes one in its data folder; or set the same 50 random signs on every node: "
            'python -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="hitl.E001",
        )
    ]


def _strong(secret: str) -> bool:
    return (
        len(secret) >= SHORTEST_SECRET and len(set(secret)) >= FEWEST_SIGNS and not secret.startswith("django-insecure")
    )
