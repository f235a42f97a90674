"""The form of what a tenant takes in: each setting with what follows from it."""

from typing import Any, Final
from urllib.parse import urlsplit

from django import forms

from queues.models import IntakeSettings

PORTS: Final = {"https": 443, "http": 80}
LONGEST: Final = 200
MOST: Final = 50


class OriginsField(forms.CharField):
    """Origins, a line each, as a browser names them: scheme, host, and the port where it is not the usual one."""

    widget = forms.Textarea(attrs={"rows": 3, "placeholder": "https://shop.example.com", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        named = list(dict.fromkeys(origin(line) for line in (super().to_python(value) or "").split()))
        if len(named) > MOST:
            raise forms.ValidationError(f"At most {MOST} origins are kept.")
        return named


def origin(address: str) -> str:
    """The origin of a web address. Raises ValidationError, in words, for what has none."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or parts.scheme not in PORTS or "*" in host or parts.username is not None:
        raise forms.ValidationError(f"“{address[:80]}” is no origin; write one like https://shop.example.com.")
    if ":" in host:
        host = f"[{host}]"
    said = f"{parts.scheme}://{host}" + ("" if port in (None, PORTS[parts.scheme]) else f":{port}")
    if len(said) > LONGEST:
        raise forms.ValidationError(f"“{address[:80]}…” is longer than {LONGEST} signs.")
    return said


class IntakeForm(forms.ModelForm):
    origins = OriginsField(
        label="Web pages that may send feedback",
        required=False,
        help_text="Their origins, a line each. A page of any other is refused, whatever token it shows.",
    )
    trace_days = forms.IntegerField(
        label="Keep traces and signals for", min_value=1, max_value=3650,
        help_text="Days. Whole weeks are dropped when their last day is over it. Cases, labels and the audit record "
        "hold copies of what they need, and stay.",
    )  # fmt: skip
    feedback_per_minute = forms.IntegerField(
        label="Feedback a minute from one address", min_value=1, max_value=10_000,
        help_text="Of what comes from browsers. Beyond it a page is told to wait.",
    )  # fmt: skip

    class Meta:
        model = IntakeSettings
        fields = ["trace_days", "takes_complaints", "keeps_vault", "origins", "feedback_per_minute"]
        labels = {
            "takes_complaints": "Take complaints that name no trace",
            "keeps_vault": "Keep what is scrubbed, encrypted",
        }
        help_texts = {
            "takes_complaints": "Tickets and chat threads; people link each to the trace it is about. That is work: "
            "switch it on for an incident, and off again after it.",
            "keeps_vault": "Then a person with the permission may see a masked value, for a reason, on record. "
            "Without it, what was masked is gone for good. What came in before is not kept in hindsight.",
        }
