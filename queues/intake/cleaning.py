"""Takes personal data out of a case, field by field: running text whole, names and ids with care."""

from collections.abc import Mapping
from typing import Any, Final

from hitl.models import Tenant
from queues.intake.schema import EscalatedCase, Evidence, Judge
from queues.scrub import RECOGNISERS
from queues.scrubbing import found_in, scrubbed

TEXTS: Final = (
    "user_question", "model_draft", "conversation", "tool_results", "policy", "reason_for_escalation", "policy_flags",
    "metadata",
)  # fmt: skip
# With the room their columns have: a pseudonym may be longer than what it stands for.
NAMES: Final = {
    "domain": 80, "topic": 120, "trace_id": 200, "user_key": 80, "model": 120, "prompt_version": 120, "release": 120,
    "tool": 120,
}  # fmt: skip
# In a name or an id nothing else counts: a run of digits is an id there, and only with a + somebody's phone; `4.20.1.3`
# is a release, `Anna` perhaps a model.
IN_NAMES: Final = frozenset(("email", "iban", "key"))
NOT_IN_NAMES: Final = frozenset(one.name for one in RECOGNISERS) - IN_NAMES - {"phone", "card", "account"}
WORDS: Final = {"email": "an e-mail address", "iban": "a bank account", "phone": "a phone number"}


def clean(case: EscalatedCase, tenant: Tenant) -> EscalatedCase:
    """The case as it may be stored for this tenant. `case_id` and `callback_url` stay: see `refusal`."""
    if not tenant.scrubs:
        return case
    changed = clean_texts({field: value for field in TEXTS if (value := getattr(case, field))}, case.evidence, tenant)
    for field, longest in NAMES.items():
        if value := getattr(case, field):
            changed[field] = clean_name(value, tenant)[:longest]
    changed["evidence"] = clean_evidence(case.evidence, changed["evidence"], tenant)
    if case.judges:
        changed["judges"] = [clean_judge(judge, tenant) for judge in case.judges]
    return case.model_copy(update=changed)


def clean_texts(texts: Mapping[str, Any], passages: list[Evidence], tenant: Tenant) -> dict[str, Any]:
    """A row's texts, with the quotes and titles of its passages as `evidence`: together, since whoever is named in one
    of them is known in all.
    """
    said = [(passage.get("quote"), passage.get("title")) for passage in passages]
    cleaned: dict[str, Any] = scrubbed({**texts, "evidence": said}, tenant)
    return cleaned


def clean_evidence(passages: list[Evidence], said: list[tuple[str, str]], tenant: Tenant) -> list[Evidence]:
    """With what `clean_texts` made of them; a document's id and address must still lead to it where they can."""
    cleaned: list[Evidence] = []
    for passage, (quote, title) in zip(passages, said, strict=True):
        new = Evidence(**passage)
        if quote:
            new["quote"] = quote
        if title:
            new["title"] = title
        new["document_id"] = clean_name(passage["document_id"], tenant)
        if url := passage.get("url"):
            new["url"] = clean_name(url, tenant)
        if marker := passage.get("marker"):
            new["marker"] = clean_name(marker, tenant)
        cleaned.append(new)
    return cleaned


def clean_judge(judge: Judge, tenant: Tenant) -> Judge:
    """A judge goes by one name, whether its word comes with the case or alone."""
    new = Judge(**judge)
    if verdict := judge.get("verdict"):
        new["verdict"] = scrubbed(verdict, tenant)
    new["name"] = clean_name(judge["name"], tenant)[:120]
    if version := judge.get("version"):
        new["version"] = clean_name(version, tenant)[:120]
    if prompt := judge.get("prompt"):
        new["prompt"] = clean_name(prompt, tenant)[:120]
    if position := judge.get("position"):
        new["position"] = clean_name(position, tenant)[:20]
    if categories := judge.get("categories"):
        new["categories"] = [clean_name(key, tenant)[:60] for key in categories]
    return new


def clean_name(name: str, tenant: Tenant) -> str:
    """A name or an id without what is personal in it."""
    found = found_in(name, tenant, leave=NOT_IN_NAMES)
    return found.text if personal(name, {one.kind for one in found.found}) else name


def refusal(case: EscalatedCase, tenant: Tenant) -> str | None:
    """Why a case cannot be taken as it is: these two fields must work as they are, so they are never changed."""
    if not tenant.scrubs:
        return None
    if refused := personal_id("case_id", case.case_id, tenant):
        return refused
    if case.callback_url and (kind := _found(case.callback_url, tenant)):
        return f"callback_url: holds {kind}. It is kept as it comes; deliveries are signed, so it needs no secret."
    return None


def personal(text: str, kinds: set[str]) -> bool:
    return bool(kinds & IN_NAMES) or ("+" in text and "phone" in kinds)


def personal_id(field: str, value: str, tenant: Tenant) -> str | None:
    """Why an id that must work as it is cannot be taken; None where it can."""
    if tenant.scrubs and value and (kind := _found(value, tenant)):
        return f"{field}: holds {kind}. It is kept as it comes, so send an id without personal data."
    return None


def _found(text: str, tenant: Tenant) -> str | None:
    found = found_in(text, tenant, leave=NOT_IN_NAMES).found
    kinds = {one.kind for one in found}
    if not personal(text, kinds):
        return None
    kind = min(kinds & IN_NAMES or {"phone"})
    return WORDS.get(kind, "what looks like a secret")
