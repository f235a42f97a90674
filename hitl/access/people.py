"""The verbs that make people and say what they may sign. `by` is the administrator; None is the command line."""

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from hitl.access import authorities, languages, links
from hitl.access.models import AuthorityGrant, Tenant, User
from hitl.audit import log


class Refused(ValueError):
    """What was asked may not be; nothing was changed. The text is the sentence to show."""


@dataclass(frozen=True)
class Invited:
    """A new person, and the path of the link with which they set their password: shown once, to whoever made them."""

    person: User
    path: str


@transaction.atomic
def create(
    *,
    by: User | None,
    email: str,
    name: str,
    languages: Iterable[str] = (),
    time_zone: str = "UTC",
    password: str | None = None,
    administrator: bool = False,
    actor_name: str = "",
) -> Invited:
    """A new person, who may do nothing yet. Refused if the address is taken, or anything given makes no sense."""
    only_administrators(by)
    email = email.strip().lower()
    person = User(email=email, name=name.strip(), is_superuser=administrator)
    try:
        validate_email(email)
        if password is not None:
            validate_password(password, person)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from None
    if User.objects.filter(email=email).exists():
        raise Refused(f"Somebody with the address {email} is here already.")
    _describe(person, name=name, tags=languages, time_zone=time_zone)
    person.set_password(password)
    person.save()
    _record(by, "person.created", person, actor_name, administrator=administrator, languages=person.languages)
    return Invited(person=person, path=links.path_for(person))


def create_administrator(*, email: str, password: str, name: str = "Administrator", actor_name: str = "set-up") -> User:
    """The first person of an installation, made from the command line."""
    return create(by=None, email=email, name=name, password=password, administrator=True, actor_name=actor_name).person


@transaction.atomic
def set_profile(
    *, by: User | None, person: User, name: str, languages: Iterable[str], time_zone: str, actor_name: str = ""
) -> User:
    """Name, languages (they decide which cases the person gets) and time zone."""
    only_administrators(by)
    person = _locked(person)
    _describe(person, name=name, tags=languages, time_zone=time_zone)
    person.save(update_fields=["name", "languages", "time_zone"])
    _record(by, "person.described", person, actor_name, languages=person.languages)
    return person


def set_languages(*, by: User | None, person: User, languages: Iterable[str], actor_name: str = "") -> User:
    return set_profile(
        by=by, person=person, name=person.name, languages=languages, time_zone=person.time_zone, actor_name=actor_name
    )


@transaction.atomic
def set_administrator(*, by: User | None, person: User, administrator: bool, actor_name: str = "") -> None:
    """Lets a person run the installation, or no longer. Nobody takes it from themselves: one always remains."""
    only_administrators(by)
    if by is not None and by.pk == person.pk:
        raise Refused("You cannot change this for yourself. Another administrator can.")
    person = _locked(person)
    person.is_superuser = administrator
    person.save(update_fields=["is_superuser"])
    _record(by, "person.made_administrator" if administrator else "person.unmade_administrator", person, actor_name)


@transaction.atomic
def deactivate(*, by: User | None, person: User, actor_name: str = "") -> None:
    """Shuts a person out at once and for good: sessions and password die. What they hold comes free as leases end."""
    only_administrators(by)
    if by is not None and by.pk == person.pk:
        raise Refused("You cannot close your own account. Another administrator can.")
    person = _locked(person)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    if person.is_superuser and not others.exists():
        raise Refused(f"{person} is the only administrator. Make another one first.")
    person.is_active = False
    # A session carries a digest of the password's hash: without this one it would wake up with a reactivation.
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
    _record(by, "person.deactivated", person, actor_name)


@transaction.atomic
def reactivate(*, by: User | None, person: User, actor_name: str = "") -> Invited:
    """Lets a person in again, with a new password. What they were granted is still granted."""
    only_administrators(by)
    person = _locked(person)
    person.is_active = True
    person.save(update_fields=["is_active"])
    _record(by, "person.reactivated", person, actor_name)
    return Invited(person=person, path=links.path_for(person))


@transaction.atomic
def invite(*, by: User | None, person: User, actor_name: str = "") -> Invited:
    """A link to set a new password, for one who lost it. The old password holds until the link is used."""
    only_administrators(by)
    person = _locked(person)
    if not person.is_active:
        raise Refused(f"The account of {person} is closed. Open it again first.")
    _record(by, "person.link_issued", person, actor_name)
    return Invited(person=person, path=links.path_for(person))


@transaction.atomic
def grant_authority(
    *,
    by: User | None,
    person: User,
    authority: str,
    tenant: Tenant | None = None,
    until: datetime | None = None,
    actor_name: str = "",
) -> AuthorityGrant:
    """What the person may sign, in one tenant or in all, for good or until a time. Never one's own."""
    only_administrators(by)
    if by is not None and by.pk == person.pk:
        raise Refused("Nobody grants themselves an authority. Another administrator can.")
    try:
        authorities.parse(authority)
    except ValueError as error:
        raise Refused(str(error)) from None
    if until is not None and until <= timezone.now():
        raise Refused("That time is over already. Give a later one, or none.")
    granted, _ = AuthorityGrant.objects.update_or_create(
        user=person, tenant=tenant, authority=authority,
        defaults={"granted_by": by, "granted_at": timezone.now(), "until": until},
    )  # fmt: skip
    _record(
        by, "authority.granted", person, actor_name, tenant=tenant,
        authority=authority, until=until.isoformat() if until else None,
    )  # fmt: skip
    return granted


@transaction.atomic
def revoke_authority(*, by: User | None, held: AuthorityGrant, actor_name: str = "") -> None:
    """Takes an authority back. What was signed with it stays signed."""
    only_administrators(by)
    if by is not None and by.pk == held.user_id:
        raise Refused("Nobody changes their own authorities. Another administrator can.")
    AuthorityGrant.objects.filter(pk=held.pk).delete()
    _record(by, "authority.revoked", held.user, actor_name, tenant=held.tenant, authority=held.authority)


def only_administrators(by: User | None) -> None:
    if by is not None and not (by.is_active and by.is_superuser):
        raise Refused("Only an administrator may do this.")


def _locked(person: User) -> User:
    return User.objects.select_for_update().get(pk=person.pk)


def _describe(person: User, *, name: str, tags: Iterable[str], time_zone: str) -> None:
    if not name.strip():
        raise Refused("A person needs a name.")
    if time_zone not in zoneinfo.available_timezones():
        raise Refused(f"There is no time zone “{time_zone}”. Write it like Europe/Berlin.")
    try:
        person.languages = languages.tags(tags)
    except ValueError as error:
        raise Refused(str(error)) from None
    person.name, person.time_zone = name.strip(), time_zone


def _record(
    by: User | None, action: str, person: User, actor_name: str, *, tenant: Tenant | None = None, **detail: Any
) -> None:
    log.append(
        actor=by, action=action, subject=f"person:{person.pk}", tenant_id=tenant.pk if tenant else None,
        detail=detail or None, actor_name=actor_name or ("" if by else "command line"),
    )  # fmt: skip
