"""The API's door: a token with one of the scopes, or the sentence that says what is missing."""

from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from hitl.access import tokens
from hitl.access.models import ApiToken


class Bearer(HttpBearer):
    """Lets in a token that has one of the scopes; it is then `token_of(request)`."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = scopes

    def __call__(self, request: HttpRequest) -> ApiToken:
        return tokens.authenticate(request, *self.scopes)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        raise NotImplementedError("the whole header is read at once")


def token_of(request: HttpRequest) -> ApiToken:
    """The token that let the request in."""
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token
