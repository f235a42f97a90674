"""Traces and signals as an application would send them."""

import itertools

_numbers = itertools.count()


def traced(**fields):
    """A trace as JSON gives it, good as it is; `field=None` leaves the field out."""
    trace = {
        "trace_id": f"traced-{next(_numbers)}",
        "at": "2026-11-20T08:00:00Z",
        "input": "I was charged twice in October. Do I get it back?",
        "output": "You were charged twice. The second payment is returned within three days.",
        "conversation": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}],
        "documents": [{"document_id": "refunds-4.2", "quote": "Refunds need a confirmed error.", "score": 0.7}],
        "tool_calls": [{"name": "ledger", "status": "ok", "output": {"charges": 2}}],
        "scores": {"groundedness": 0.55},
        "prompt_version": "support-7",
        "model": "chat-large",
        "release": "2026.11.2",
        "user_key": "u-1",
        "session_id": "s-1",
        "topic": "refund",
        "domain": "billing",
        "language": "en",
        "latency_ms": 1840,
        "metadata": {"shop": "north"},
    }
    return {field: value for field, value in (trace | fields).items() if value is not None}


def signalled(**fields):
    """A thumb down on a trace; another `type` brings its own fields."""
    signal = {"type": "user_rating", "trace_id": "t-1"} | fields
    if signal["type"] == "user_rating" and "rating" not in signal:
        signal.setdefault("thumbs", "down")
    return {field: value for field, value in signal.items() if value is not None}
