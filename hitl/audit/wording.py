"""The audit record in words: what each action is called on a screen. An action that is not listed says its own name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hitl.audit.models import AuditEvent
from hitl.audit.rooms import Named

# {} is the subject. Kept by noun, in the order of the screens.
SENTENCES = {
    "cases.received": "cases came in for {}",
    "signals.received": "signals came in for {}",
    "feedback.swept": "removed feedback from pages whose traces never came, of {}",
    "traces.received": "traces came in for {}",
    "spans.received": "spans came in for {}",
    "traces.forgotten": "forgot traces and signals that were too old, of {}",
    "traces.weeks_dropped": "dropped weeks of traces and signals that nobody keeps any more",
    "trace.seen": "was shown {}",
    "traces.sent": "sent traces by hand to {}",
    "complaints.received": "complaints came in for {}",
    "complaint.seen": "was shown {}",
    "complaint.linked": "linked {} to a trace",
    "complaint.dismissed": "dismissed {}",
    "complaint.reopened": "opened {} again",
    "consent.withdrawn": "took back a user's consent, of {}",
    "intake.changed": "changed what comes in, of {}",
    "scrub.measured": "measured how well personal data is found, for {}",
    "scrub.changed": "changed what is masked, of {}",
    "vault.emptied": "forgot the values behind the masks of {}",
    "pii.revealed": "saw what is masked in {}",
    "cases.routed": "cases were sent to {}",
    "cases.sent_by_hand": "sent cases by hand to {}",
    "case.seen": "was shown {}",
    "case.decided": "decided {}",
    "case.machine_labelled": "labelled {}, no person was asked",
    "case.corrected": "a person's word on {} replaced the judge's",
    "case.undone": "took back the decision on {}",
    "case.amended": "amended the decision on {}",
    "case.adjudicated": "had the last word on {}",
    "case.adjudication_corrected": "corrected the last word on {}",
    "case.spot_checked": "looked over a decision on {}",
    "case.put_back": "put {} back",
    "case.deferred": "put {} aside for later",
    "case.passed_on": "passed {} on to a colleague",
    "case.handed_up": "handed {} up",
    "case.coded": "noted what went wrong in {}",
    "case.found_in_order": "read {} and found nothing wrong",
    "case.breached": "the deadline of {} passed",
    "queue.created": "opened the queue {}",
    "queue.changed": "changed the queue {}",
    "queue.codebook_chosen": "chose the codebook of {}",
    "lane.weighed": "changed how often {} is served",
    "rule.created": "added {}",
    "rule.changed": "changed {}",
    "calendar.created": "added {}",
    "calendar.changed": "changed {}",
    "codebook.created": "made the codebook {}",
    "codebook.changed": "changed the codebook {}",
    "codebook.handed_over": "handed {} over",
    "codebook.draft_started": "started a draft of {}",
    "codebook.draft_read_in": "read in a file as the draft of {}",
    "codebook.draft_dropped": "dropped the draft of {}",
    "codebook.category_added": "added a category to the draft of {}",
    "codebook.category_removed": "removed a category from the draft of {}",
    "codebook.origin_said": "said how a category of the draft of {} came about",
    "codebook.example_added": "took an example into the draft of {}",
    "codebook.commented": "commented on the draft of {}",
    "codebook.comment_resolved": "settled a comment on the draft of {}",
    "codebook.published": "published a version of {}",
    "category.carried": "carried a category over, in {}",
    "category.carry_taken_back": "took back that a category was carried over, in {}",
    "relabel.ordered": "ordered a relabel, in {}",
    "relabel.cancelled": "cancelled a relabel, in {}",
    "batch.closed": "closed {}",
    "failure.grouped": "grouped notes on what goes wrong, of {}",
    "failure.renamed": "renamed a group of notes, of {}",
    "failure.merged": "merged two groups of notes, of {}",
    "failure.split": "split a group of notes, of {}",
    "failure.dissolved": "dissolved a group of notes, of {}",
    "failure.promoted": "made a category of a group of notes, of {}",
    "agreement.measured": "had agreement measured on {}",
    "category.accepted_as_subjective": "accepted a category as subjective in {}",
    "category.not_subjective": "took back that a category is subjective in {}",
    "labels.imported": "brought earlier labels into {}",
    "label_file.brought": "brought a file of earlier labels for {}",
    "label_file.confirmed": "took in a file of earlier labels for {}",
    "label_file.dropped": "dropped a file of earlier labels for {}",
    "judge.audited": "people are asked what they say of cases that a judge had labelled, with {}",
    "judge.alarmed": "a judge agrees too little with people, by {}",
    "judge.recovered": "a judge agrees with people again, by {}",
    "judge.measured": "had the judges measured again, by {}",
    "traffic.measured": "had it measured what labels say of the traffic of {}",
    "traffic.proposed": "a quarter is over: new weights of signals, and a new mix, may be taken for {}",
    "signals.weighed": "changed what signals count for, of {}",
    "drift.asked": "asked reviewers again about old cases of theirs, in {}",
    "drift.alarmed": "saw a reviewer decide differently than before, in {}",
    "alignment.opened": "opened a session on {}",
    "alignment.noted": "wrote down what a session agreed on {}",
    "alignment.closed": "closed a session on {}",
    "upload.brought": "brought the file of {}",
    "upload.confirmed": "took in the file of {}",
    "upload.dropped": "dropped the file of {}",
    "message.sent_again": "sent {} again",
    "message.all_sent_again": "sent all failed messages again, of {}",
    "message.called_off": "called {} off",
    "endpoint.created": "added {}",
    "endpoint.changed": "changed {}",
    "endpoint.switched_on": "switched {} on",
    "endpoint.switched_off": "switched {} off",
    "endpoint.tested": "tested {}",
    "tool.connected": "connected another tool as {}",
    "tool.tried": "tried the connection to {}",
    "tool.removed": "removed the tool at {}",
    "scores.explained": "said what scores of other tools mean, for {}",
    "secret.replaced": "replaced the signing secret of {}",
    "token.issued": "issued {}",
    "token.revoked": "revoked {}",
    "feedback_address.made": "made addresses for feedback on a trace, of {}",
    "tenant.created": "created {}",
    "tenant.changed": "changed {}",
    "tenant.pseudonyms_renewed": "renewed the pseudonyms of {}",
    "grant.given": "gave permissions to {}",
    "grant.taken": "took permissions from {}",
    "authority.granted": "let {} sign",
    "authority.revoked": "no longer lets {} sign",
    "person.created": "added {}",
    "person.described": "changed the profile of {}",
    "person.link_issued": "made a new password link for {}",
    "person.made_administrator": "made {} an administrator",
    "person.unmade_administrator": "made {} no administrator any more",
    "person.deactivated": "closed the account of {}",
    "person.reactivated": "opened the account of {} again",
    "person.signed_in": "signed in",
    "person.signed_out": "signed out",
    "person.password_set": "set a password",
    "person.password_changed": "changed their password",
    "config.imported": "read in {}",
    "assessment.changed": "changed when a person is asked",
    "sampling.changed": "changed the sampling plan of {}",
    "sampling.asked_for": "had a sample drawn in {}",
    "sampling.drawn": "drew a sample of the traffic of {}",
    "sampling.dropped": "dropped sampled cases unseen, of {}",
    "drift.reported": "reported that the traffic of {} has changed",
    "audit.read": "read this record",
    "audit.exported": "took a copy of this record",
}
SUBJECTS = {
    "message": "message", "endpoint": "address", "token": "token", "audit": "the record",
    "config": "a configuration file",
}  # fmt: skip
# Of use to whoever reads the log with a program, not on the screen; and what was decided is for the case's own page to
# show, which knows who may not see it yet.
UNSAID = {"slot", "token", "verdict", "categories", "sided_with", "agrees"}
LONGEST_LIST, LONGEST = 12, 400


@dataclass(frozen=True)
class Told:
    """One event as a line: `before`, the subject (a link, if it has a page), `after`, and more in small print."""

    before: str
    subject: str
    after: str
    url: str
    more: str


def tell(event: AuditEvent, names: Mapping[str, Named]) -> Told:
    """`names`: what subjects are called, by `kind:id`; one that is not there goes by its number."""
    kind, _, key = event.subject.partition(":")
    sentence = SENTENCES.get(event.action, f"{_plain(event.action)}: {{}}")
    before, has_subject, after = sentence.partition("{}")
    called = names.get(event.subject) or Named(f"{SUBJECTS.get(kind, _plain(kind))} {key}".strip())
    return Told(
        before=before,
        subject=called.name if has_subject else "",
        after=after,
        url=called.url if has_subject else "",
        more=in_words(event.detail),
    )


def in_words(detail: Mapping[str, Any]) -> str:
    """`until 14:00 · reason not my field`; long values are cut, and said to be."""
    telling = {key: value for key, value in detail.items() if key not in UNSAID and value not in ("", None, [], {})}
    if telling.get("action") in SENTENCES:
        telling["action"] = f"“{dict(actions())[telling['action']]}”"
    said = " · ".join(f"{_plain(key)} {_value(value)}" for key, value in telling.items())
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def actions() -> list[tuple[str, str]]:
    """For a choice: each known action, and its words without a subject."""
    words = [(action, _plain(re.sub(r"\W*\{\}\W*", " … ", said)).strip()) for action, said in SENTENCES.items()]
    return [(action, said[:1].upper() + said[1:]) for action, said in words]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{_plain(key)} {_value(item)}" for key, item in value.items())
    if isinstance(value, list):
        more = f" and {len(value) - LONGEST_LIST:,} more" if len(value) > LONGEST_LIST else ""
        return ", ".join(_value(item) for item in value[:LONGEST_LIST]) + more
    return str(value)


def _plain(name: str) -> str:
    return re.sub(r"[._]+", " ", name)
