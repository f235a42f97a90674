"""Forms of making a codebook and settling what is its own. They check what was typed; the verbs decide what may be."""

from typing import Any

from django import forms

from codebook.models import Codebook
from codebook.rubric import owning
from codebook.rubric.files import LONGEST_FILE
from hitl.models import User


class NewForm(forms.Form):
    title = forms.CharField(max_length=owning.LONGEST_TITLE, help_text="What reviewers call it: Support answers.")
    slug = forms.SlugField(
        label="Short name", max_length=60,
        help_text="For addresses, files and answers: support-answers. It stays as it is.",
    )  # fmt: skip


class SettingsForm(forms.ModelForm):
    class Meta:
        model = Codebook
        fields = ("title", "batch_days")
        labels = {"batch_days": "Days that a batch of labels stays open"}
        help_texts = {"batch_days": "After that, labels go into a new batch, so that one batch is one stretch of time."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["batch_days"] = forms.IntegerField(
            min_value=1, max_value=3650, label=self.fields["batch_days"].label,
            help_text=self.fields["batch_days"].help_text,
        )  # fmt: skip


class HandOverForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(), label="Hand over to", empty_label="Choose a person",
        help_text="Those who may read it. From then on they have the last word on it, and you may still read it.",
    )  # fmt: skip

    def __init__(self, *args: Any, codebook: Codebook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = owning.heirs(codebook)


class ImportForm(forms.Form):
    file = forms.FileField(
        label="File", widget=forms.ClearableFileInput(attrs={"accept": ".yaml,.yml"}),
        help_text=f"YAML, as it is downloaded here; at most {LONGEST_FILE // 1_000_000} MB. It becomes the draft.",
    )  # fmt: skip
