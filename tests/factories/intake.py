"""Escalated cases as an application would send them."""

import itertools

_numbers = itertools.count()


def sent(**fields):
    """A case as JSON gives it, good as it is; `field=None` leaves the field out."""
    case = {
        "case_id": f"sent-{next(_numbers)}",
        "user_question": "I was charged twice in October. Do I get it back?",
        "model_draft": "You were charged twice. The second payment is returned within three days.",
        "evidence": [
            {"document_id": "ledger-7731", "title": "Ledger", "quote": "04 Oct: duplicate payment.", "score": 0.83},
            {"document_id": "refunds-4.2", "quote": "Refunds need a confirmed error.", "score": 0.7},
        ],
        "tool_results": [{"name": "ledger", "status": "ok", "output": {"charges": 2}}],
        "risk_level": "medium",
        "reason_for_escalation": "Low groundedness and money is promised.",
        "domain": "billing",
        "language": "en",
        "groundedness": 0.55,
    }
    return {field: value for field, value in (case | fields).items() if value is not None}
