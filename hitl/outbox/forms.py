from typing import Any

from django import forms

from hitl.outbox import addresses
from hitl.outbox.models import Endpoint, Message


class FilterForm(forms.Form):
    """Which messages to show. What it does not know shows all."""

    state = forms.ChoiceField(choices=[("", "Any"), *Message.State.choices], required=False, label="State")
    topic = forms.ChoiceField(
        choices=[("", "Any"), *Endpoint.Topic.choices, ("email", "E-mail"), ("test", "Test")],
        required=False,
        label="What",
    )
    about = forms.CharField(required=False, max_length=200, label="Case", empty_value="")
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=addresses.LONGEST,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hooks/reviews", "autocomplete": "off"}),
        help_text="Gets a signed POST for each event. Use https, unless it never leaves your own network.",
    )
    topics = forms.MultipleChoiceField(
        label="What it wants to hear of",
        choices=Endpoint.Topic.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen means all, also what is added later.",
    )

    @classmethod
    def of(cls, endpoint: Endpoint, data: Any = None) -> "EndpointForm":
        return cls(data, initial={"url": endpoint.url, "topics": endpoint.topics})
