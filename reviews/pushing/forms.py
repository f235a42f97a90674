from typing import Any
from uuid import UUID

from django import forms

from hitl.models import Endpoint
from hitl.outbox import addresses
from queues.models import ScoreName

TOOLS = [choice for choice in Endpoint.Kind.choices if choice[0] != Endpoint.Kind.WEBHOOK]


class ToolForm(forms.Form):
    """A tool that is to hear of decisions. Its keys are shown to nobody again."""

    kind = forms.ChoiceField(label="Tool", choices=TOOLS)
    url = forms.CharField(
        label="Address",
        max_length=addresses.LONGEST,
        widget=forms.URLInput(attrs={"placeholder": "https://cloud.langfuse.com", "autocomplete": "off"}),
        help_text="As its own SDK has it: LANGFUSE_BASE_URL, LANGSMITH_ENDPOINT or PHOENIX_COLLECTOR_ENDPOINT.",
    )
    public_key = forms.CharField(label="Public key", required=False, max_length=200, help_text="Of Langfuse: pk-lf-…")
    key = forms.CharField(
        label="Secret key",
        required=False,
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The secret key or API key. Kept encrypted, and shown to nobody again.",
    )
    project = forms.CharField(
        label="Project",
        required=False,
        max_length=36,
        help_text="Of LangSmith: the project’s id, if its server wants it. The others know it by the key.",
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        kind = said.get("kind")
        if kind in (Endpoint.Kind.LANGFUSE, Endpoint.Kind.LANGSMITH) and not said.get("key"):
            self.add_error("key", "This tool lets nobody in without a key.")
        if kind == Endpoint.Kind.LANGFUSE and not said.get("public_key"):
            self.add_error("public_key", "Langfuse wants the public key beside the secret one.")
        for name in ("key", "public_key"):
            if not str(said.get(name, "")).isascii() or ":" in str(said.get("public_key", "")):
                self.add_error(name, "A key has letters, digits and a few signs, as the tool shows it.")
        if kind == Endpoint.Kind.LANGSMITH and said.get("project") and not _is_uuid(said["project"]):
            self.add_error("project", "A project of LangSmith goes by a UUID; it stands in the address of its page.")
        return said

    @property
    def credential(self) -> str:
        """The key as the tool wants it."""
        said = self.cleaned_data
        return f"{said['public_key']}:{said['key']}" if said["kind"] == Endpoint.Kind.LANGFUSE else said["key"]


class MeaningsForm(forms.Form):
    """What the names of a tenant's scores mean."""

    def __init__(self, names: list[ScoreName], data: Any = None) -> None:
        super().__init__(data)
        self.names = names
        for name in names:
            self.fields[f"meaning-{name.pk}"] = forms.ChoiceField(
                label=f"What {name.name} means", choices=ScoreName.Meaning.choices, initial=name.meaning
            )

    @property
    def rows(self) -> list[tuple[ScoreName, forms.BoundField]]:
        return [(name, self[f"meaning-{name.pk}"]) for name in self.names]

    @property
    def meanings(self) -> dict[int, str]:
        return {name.pk: self.cleaned_data[f"meaning-{name.pk}"] for name in self.names}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
