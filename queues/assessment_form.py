"""A tenant's thresholds and weights as a form: a field for each number, and what is wrong at the field it is in."""

import json
from hashlib import sha256
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from queues.confidence import LABELS, ROUTE, SIGNALS
from queues.forms import ListField
from queues.json_values import Refused
from queues.languages import UnknownLanguage, name, normalise
from queues.risk import Risk
from queues.triggers import AssessmentSettings, Trigger

RISKS: Final = [(risk.name.lower(), str(risk.label)) for risk in Risk]
NUMBERS: Final = {
    "low_confidence_below": ("Low confidence below", "From 0 to 1."),
    "policy_below": ("Policy boundary below", "A policy check that is worse than this, from 0 to 1."),
    "judge_below": ("A judge’s score below", "From 0 to 1; for judges that are not named on their own."),
    "rating_at_most": ("The user’s rating at most", "From 1 to 5; a thumb down is 1."),
}
CHOICES: Final = {
    "high_stakes_from": ("High stakes from risk", ""),
    "risk_when_not_sent": ("Risk where none is sent", ""),
    "tool_risk_from": ("Tool risk from", ""),
    "limited_answer_up_to": ("Limited answer up to risk", "Must be lower than where high stakes begin."),
}
PARTS: Final = {"weight": "Weight", "good_from": "Good from", "ambiguous_from": "Ambiguous from"}


class PairsField(forms.CharField):
    """Lines such as “medical: high”, as a mapping."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key}: {one}" for key, one in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        pairs: dict[str, str] = {}
        for line in filter(str.strip, (super().to_python(value) or "").splitlines()):
            key, colon, one = line.rpartition(":")
            if not (colon and key.strip() and one.strip()):
                raise ValidationError(f"“{line[:60]}” needs a name, a colon and a value.")
            pairs[key.strip()] = one.strip()
        return pairs


class AssessmentForm(forms.Form):
    """Starts from the settings in force; what has no field here keeps its value."""

    triggers = forms.MultipleChoiceField(
        label="Triggers that are on", choices=Trigger.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    high_stakes_domains = ListField(
        label="Domains of high stakes", longest=80, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="With commas between them. A word in the domain’s name is enough.",
    )  # fmt: skip
    domain_risks = PairsField(
        label="Lowest risk of a domain", required=False, help_text="A line each, such as “medical: high”."
    )
    judges_below = PairsField(
        label="Judges with a score of their own", required=False, help_text="A line each, such as “safety-judge: 0.8”."
    )
    limited_answer = forms.BooleanField(
        label="Allow a limited answer", required=False,
        help_text="Where confidence alone is low and the stakes are too, nobody is asked.",
    )  # fmt: skip
    coverage_floor = forms.FloatField(
        label="Share of the weights that must be known", help_text="Below it, from 0 to 1, confidence is not known."
    )
    new_language = forms.CharField(
        label="Another language", max_length=35, required=False, help_text="A tag such as pl."
    )
    new_phrases = ListField(
        label="Its phrases", longest=120, most=500, lines=True, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Any = None, *, settings: AssessmentSettings) -> None:
        self.base = settings.to_json()
        super().__init__(data, initial=self._initial())
        for key, (label, help_text) in NUMBERS.items():
            self.fields[key] = forms.FloatField(label=label, help_text=help_text)
        for key, (label, help_text) in CHOICES.items():
            self.fields[key] = forms.ChoiceField(label=label, choices=RISKS, help_text=help_text)
        for key in SIGNALS:
            for part, label in PARTS.items():
                self.fields[f"{key}.{part}"] = forms.FloatField(label=f"{LABELS[key]}: {label.lower()}")
            self.fields[f"{key}.inverted"] = forms.BooleanField(required=False, label=f"{LABELS[key]}: high is bad")
        for language in self.base["person_phrases"]:
            self.fields[f"phrases.{language}"] = ListField(
                label=name(language), longest=120, most=500, lines=True, widget=forms.Textarea(attrs={"rows": 4})
            )

    @property
    def signal_rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The signals, each with its fields."""
        parts = (*PARTS, "inverted")
        return [
            (LABELS[key], [self[f"{key}.{part}"] for part in parts if key != ROUTE or part != "inverted"])
            for key in SIGNALS
        ]

    @property
    def phrase_fields(self) -> list[forms.BoundField]:
        return [self[f"phrases.{language}"] for language in self.base["person_phrases"]]

    def clean_new_language(self) -> str:
        given: str = self.cleaned_data["new_language"].strip()
        try:
            return normalise(given) if given else ""
        except UnknownLanguage as fault:
            raise ValidationError(str(fault)) from None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.settings = AssessmentSettings.from_json(self._as_json(given))
            except Refused as refused:
                for error in refused.errors:
                    self._blame(error)
        return given

    @property
    def mark(self) -> str:
        """Names exactly what is filled in, so that what is saved is what was tried."""
        return sha256(json.dumps(self.settings.to_json(), sort_keys=True).encode()).hexdigest()[:32]

    def _initial(self) -> dict[str, Any]:
        flat = {key: value for key, value in self.base.items() if key not in ("confidence", "person_phrases")}
        flat["coverage_floor"] = self.base["confidence"]["coverage_floor"]
        for key, signal in self.base["confidence"]["signals"].items():
            flat |= {f"{key}.{part}": signal[part] for part in (*PARTS, "inverted")}
        return flat | {f"phrases.{key}": all_of for key, all_of in self.base["person_phrases"].items()}

    def _as_json(self, given: dict[str, Any]) -> dict[str, Any]:
        signals = {
            key: {**signal, **{part: given[f"{key}.{part}"] for part in (*PARTS, "inverted")}}
            for key, signal in self.base["confidence"]["signals"].items()
        }
        phrases = {key: given[f"phrases.{key}"] for key in self.base["person_phrases"]}
        if given["new_language"]:
            phrases[given["new_language"]] = given["new_phrases"]
        plain = {key: given[key] for key in self.base if key not in ("confidence", "person_phrases", "judges_below")}
        return {
            **plain,
            "confidence": {"signals": signals, "coverage_floor": given["coverage_floor"]},
            "person_phrases": {language: found for language, found in phrases.items() if found},
            "judges_below": {judge: _number(score) for judge, score in given["judges_below"].items()},
        }

    def _blame(self, error: str) -> None:
        path, _, sentence = error.partition(": ")
        for prefix, put in (("confidence.signals.", ""), ("confidence.", ""), ("person_phrases.", "phrases.")):
            if path.startswith(prefix):
                path = put + path.removeprefix(prefix)
                break
        field = path if path in self.fields else path.partition(".")[0]
        said = f"{sentence[:1].upper()}{sentence[1:]}"
        if field in self.fields:
            self.add_error(field, said if field == path else f"{path.partition('.')[2]}: {sentence}")
        else:
            self.add_error(None, said if field in ("signals",) else error)


def _number(text: str) -> float | str:
    """What is no number stays as it is: the settings then say so."""
    try:
        return float(text)
    except ValueError:
        return text
