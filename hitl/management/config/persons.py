"""People of a configuration file: who they are, then, when all else is there, what they may do and sign."""

from datetime import datetime
from typing import Any

from hitl.access import grants
from hitl.access import people as accounts
from hitl.access.models import AuthorityGrant, Tenant, User
from hitl.management.config.report import Report, change
from hitl.management.config.schema import Person

ACTOR = "import_config"
KINDS = {"tenants": "tenant", "queues": "queue", "codebooks": "codebook"}


def bring(entry: Person, report: Report, now: datetime) -> None:
    """A new person gets a link to set a password; one who is there gets the profile that the file gives."""
    said = report.of("person", entry.email)
    person = User.objects.filter(email=entry.email).first()
    if person is None:
        made = accounts.create(
            by=None, email=entry.email, name=entry.name, languages=entry.languages, time_zone=entry.time_zone,
            administrator=entry.administrator, actor_name=ACTOR,
        )  # fmt: skip
        said.append("created")
        if entry.is_active:
            report.links[entry.email] = made.path
        else:
            accounts.deactivate(by=None, person=made.person, actor_name=ACTOR)
        return
    before = {field: getattr(person, field) for field in Person.PROFILE}
    after = before | entry.given(*Person.PROFILE)
    if before != after:
        accounts.set_profile(by=None, person=person, **after, actor_name=ACTOR)
        said += [change(field, before[field], after[field]) for field in after if before[field] != after[field]]
    given = entry.model_fields_set
    if "administrator" in given and entry.administrator != person.is_superuser:
        accounts.set_administrator(by=None, person=person, administrator=entry.administrator, actor_name=ACTOR)
        said.append(change("administrator", person.is_superuser, entry.administrator))
    if "is_active" in given and entry.is_active != person.is_active:
        said.append(change("is_active", person.is_active, entry.is_active))
        if entry.is_active:
            report.links[entry.email] = accounts.reactivate(by=None, person=person, actor_name=ACTOR).path
        else:
            accounts.deactivate(by=None, person=person, actor_name=ACTOR)


def allow(entry: Person, report: Report, now: datetime) -> None:
    """Permissions and authorities that the file gives beside those the person has; none is taken."""
    person = User.objects.get(email=entry.email)
    said = report.of("person", entry.email)
    for section, kind in KINDS.items():
        if section in entry.model_fields_set:
            _permit(entry, person, section, grants.kinds()[kind], said, report)
    if "authorities" in entry.model_fields_set:
        _authorise(entry, person, said, report, now)


def administrators() -> int:
    return User.objects.filter(is_superuser=True, is_active=True).count()


def _permit(entry: Person, person: User, section: str, kind: grants.Kind, said: list[str], report: Report) -> None:
    by_slug: dict[str, list[str]] = getattr(entry, section)
    things: Any = kind.model._default_manager
    slugs: dict[int, str] = dict(things.values_list("pk", "slug"))
    ids = {slug: pk for pk, slug in slugs.items()}
    held = grants.held([person], kind)[person.pk]
    permissions = {codename.partition("_")[0]: codename for codename, _ in kind.permissions}
    wanted = {ids[slug]: {permissions[word] for word in words} for slug, words in by_slug.items()}
    union = {pk: held.get(pk, set()) | wanted.get(pk, set()) for pk in held.keys() | wanted.keys()}
    grants.set_all(by=None, person=person, kind=kind, wanted=union, actor_name=ACTOR)
    for pk, codenames in sorted(wanted.items(), key=lambda pair: slugs[pair[0]]):
        if (added := sorted(codenames - held.get(pk, set()))) and said[:1] != ["created"]:
            said.append(f"may now {_words(added)} in {kind.name} {slugs[pk]}")
    for pk, codenames in sorted(held.items(), key=lambda pair: slugs[pair[0]]):
        if more := sorted(codenames - wanted.get(pk, set())):
            report.left.append(f"person {entry.email}: may {_words(more)} in {kind.name} {slugs[pk]}")


def _authorise(entry: Person, person: User, said: list[str], report: Report, now: datetime) -> None:
    stored = {
        (held.authority, held.tenant.slug if held.tenant else None): held
        for held in AuthorityGrant.objects.filter(user=person).select_related("tenant")
    }
    for signs in entry.authorities:
        held = stored.pop((signs.authority, signs.tenant), None)
        name = f"{signs.authority}{f' in {signs.tenant}' if signs.tenant else ''}"
        if held and held.until == signs.ends:
            continue
        if held is None and signs.ends and signs.ends <= now:
            report.notes.append(f"person {entry.email}: {name} was good until {signs.until}, not given")
            continue
        tenant = Tenant.objects.get(slug=signs.tenant) if signs.tenant else None
        accounts.grant_authority(
            by=None, person=person, authority=signs.authority, tenant=tenant, until=signs.ends, actor_name=ACTOR
        )
        if said[:1] != ["created"]:
            said.append(f"may now sign {name}{f' until {signs.until}' if signs.until else ''}")
    for (authority, slug), held in stored.items():
        if held.until is None or held.until > now:
            report.left.append(f"person {entry.email}: may sign {authority}{f' in {slug}' if slug else ''}")


def _words(codenames: list[str]) -> str:
    return ", ".join(codename.partition("_")[0] for codename in codenames)
