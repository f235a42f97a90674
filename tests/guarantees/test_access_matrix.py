"""Guarantee 6: nobody sees a row of a tenant, queue or codebook they were not granted.

Generated: every address of the house x every method x every role, with things of their own and of a stranger. Who may
come in is declared in doors.py; everything else has to be refused, and no answer may hold a word of the stranger's.
"""

import gzip
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from hitl.access import tokens
from hitl.models import ApiToken
from tests.guarantees.doors import ADMINISTRATOR, AT_HOME, DOORS, EVERYBODY, Door
from tests.guarantees.world import ANYBODYS, HEARTH, SECRET, World, build

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSED = {401, 403, 404, 405}


def addresses(resolver: Any = None, spaces: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of all addresses, out of the resolver itself; an address without a name is named by its pattern."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, (*spaces, pattern.namespace) if pattern.namespace else spaces)
        elif isinstance(pattern, URLPattern):
            yield ":".join([*spaces, pattern.name or str(pattern.pattern)])


ALL = sorted(set(addresses()))
PAGES = [name for name in ALL if name in DOORS]


def test_every_address_is_declared():
    assert [name for name in ALL if name not in DOORS] == []
    assert [name for name in DOORS if name not in ALL] == []


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Built once: no request leaves anything behind."""
    with django_db_blocker.unblock(), transaction.atomic():
        logging.disable(logging.ERROR)
        yield build()
        logging.disable(logging.NOTSET)
        transaction.set_rollback(True)


class Asking:
    """One request, of which nothing remains in the database."""

    def __init__(self, world: World) -> None:
        self.clients = {role: Client(raise_request_exception=False) for role in world.people}
        for role, person in world.people.items():
            if person:
                self.clients[role].force_login(person, backend="hitl.access.sessions.Backend")

    def __call__(self, role: str, method: str, url: str, data: dict[str, Any]) -> tuple[int, str, str]:
        client = self.clients[role]
        cookies = client.cookies.copy()
        with transaction.atomic():
            answer = (
                client.generic(method, url)
                if method not in ("GET", "POST")
                else getattr(client, method.lower())(url, data)
            )
            body = _text(answer.getvalue())
            transaction.set_rollback(True)
        client.cookies = cookies
        return answer.status_code, answer.headers.get("Location", ""), body


def _text(body: bytes) -> str:
    return (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode(errors="replace")


def came_in(status: int, location: str, name: str) -> bool:
    if status >= 500 and status != 503:
        raise AssertionError(f"{name} broke ({status})")
    return status not in REFUSED and not (location.startswith("/login/?next="))


def faults(world: World, name: str, door: Door) -> Iterator[str]:
    ask = Asking(world)
    variants = [("its own", door.args(world), door.get, door.post)]
    if door.far:
        variants.append(("the stranger's", door.far(world), door.get & door.far_opens, door.post & door.far_opens))
    variants += [("mixed", args(world), frozenset(), frozenset()) for args in door.mixed]
    for which, args, get, post in variants:
        url = reverse(name, kwargs=args)
        for role in world.people:
            for method in METHODS:
                allowed = {"GET": get, "POST": post}.get(method, get)
                data = door.data(world) if method == "POST" else door.query(world)
                status, location, body = ask(role, method, url, data if method in ("GET", "POST") else {})
                is_in = came_in(status, location, f"{method} {url} for the {role}")
                if is_in is not (role in allowed) and (is_in or method in ("GET", "POST")):
                    yield f"{method} {url} ({which}) answered the {role} with {status} {location}"
                for word, known in ((SECRET, door.tells), (HEARTH, AT_HOME), (ANYBODYS, ADMINISTRATOR)):
                    if word in body and role not in known:
                        yield f"{method} {url} ({which}) showed the {role}: {word}"


@pytest.mark.parametrize("name", PAGES)
def test_nobody_comes_in_who_was_not_granted_it(world, name):
    assert list(faults(world, name, DOORS[name])) == []


TOKENS = {
    "none": lambda world, scopes: "",
    "nonsense": lambda world, scopes: "hitl_00000000_" + "x" * 43,
    "of another scope": lambda world, scopes: token(world, sorted({"deploy", "feedback", "export"} - set(scopes))),
    "expired": lambda world, scopes: token(world, scopes, expires_at=timezone.now()),
    "revoked": lambda world, scopes: token(world, scopes, revoked_at=timezone.now()),
    "good": lambda world, scopes: token(world, scopes),
}
API = [name for name in PAGES if DOORS[name].scopes]


def token(world, scopes, **change):
    made, secret = tokens.issue(tenant=world.home["tenant"], name="Matrix", scopes=scopes)
    ApiToken.objects.filter(pk=made.pk).update(**change) if change else None
    return secret


@pytest.mark.parametrize("which", TOKENS)
@pytest.mark.parametrize("name", API)
def test_the_api_opens_to_a_tenants_own_token_and_scope_alone(world, name, which):
    door = DOORS[name]
    with transaction.atomic():
        secret = TOKENS[which](world, door.scopes)
        for args, is_home in ((door.args, True), (door.far, False)):
            if args is None:
                continue
            answer = Client(raise_request_exception=False).generic(
                door.method, reverse(name, kwargs=args(world)), "{}", "application/json",
                headers={"Authorization": f"Bearer {secret}"} if secret else {},
            )  # fmt: skip
            expected = {"good": {200, 202, 400, 422} if is_home else {404}, "of another scope": {403}}.get(which, {401})
            assert answer.status_code in expected
            assert SECRET not in answer.getvalue().decode()
        transaction.set_rollback(True)


def test_the_matrix_sees_a_door_left_open(world):
    """The test of the test: a door that lets too many in, or too few, is found."""
    assert list(faults(world, "tokens", Door(get=EVERYBODY, post=EVERYBODY, args=DOORS["tokens"].args)))
    assert list(faults(world, "login", Door()))
