"""Forms of signing in, people, tenants and tokens. They check what was typed; the verbs decide what may be."""

import zoneinfo
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth import forms as auth
from django.core.exceptions import ValidationError
from django.utils import timezone

from hitl.access import authorities, languages
from hitl.access.models import ApiToken, Tenant, User

NEW_PASSWORD = "At least 12 characters, not a common one, and not made of your name or address."  # noqa: S105
SCOPES = {
    ApiToken.Scope.INGEST: "Send cases, and ask for their verdicts",
    ApiToken.Scope.FEEDBACK: "Send feedback only: may stand in a web page",
    ApiToken.Scope.ACTIONS: "Propose actions",
    ApiToken.Scope.EXPORT: "Read datasets",
    ApiToken.Scope.DEPLOY: "Report releases and eval results",
}


class SignInForm(auth.AuthenticationForm):
    username = auth.UsernameField(
        label="E-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )
    error_messages = {
        "invalid_login": "This address and password do not belong together. Mind upper and lower case in the password.",
        "inactive": "This account was closed. Ask an administrator.",
    }


class SetPasswordForm(auth.SetPasswordForm):
    new_password1 = forms.CharField(
        label="New password", strip=False, help_text=NEW_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    new_password2 = forms.CharField(
        label="New password, once more", strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip


class ChangePasswordForm(SetPasswordForm, auth.PasswordChangeForm):
    field_order = ["old_password", "new_password1", "new_password2"]


class WordsField(forms.CharField):
    """Words with commas or spaces between them, as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, list) else (super().to_python(value) or "").replace(",", " ").split()


class ProfileForm(forms.ModelForm):
    languages = WordsField(
        label="Languages", required=False, help_text="Tags such as en, de, pt-BR. They get cases in these languages."
    )

    class Meta:
        model = User
        fields = ["name", "languages", "time_zone"]
        labels = {"time_zone": "Time zone"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))
        self.fields["time_zone"].widget = forms.Select(choices=[(zone, zone) for zone in ["UTC", *zones]])

    def clean_languages(self) -> list[str]:
        try:
            return languages.tags(self.cleaned_data["languages"])
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in zoneinfo.available_timezones():
            raise ValidationError(f"There is no time zone “{zone}”.")
        return zone


class NewPersonForm(ProfileForm):
    class Meta(ProfileForm.Meta):
        fields = ["email", "name", "languages", "time_zone"]
        labels = {**ProfileForm.Meta.labels, "email": "E-mail"}

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise ValidationError("Somebody with this address is here already.")
        return email


class AuthorityForm(forms.Form):
    authority = forms.CharField(max_length=80, help_text="Such as finance.refund.L2. A higher level covers the lower.")
    tenant = forms.ModelChoiceField(Tenant.objects.order_by("name"), required=False, empty_label="Every tenant")
    until = forms.DateField(
        required=False, label="Until the end of", widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: no end.",
    )  # fmt: skip

    def clean_authority(self) -> str:
        given: str = self.cleaned_data["authority"].strip()
        try:
            authorities.parse(given)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return given

    def clean_until(self) -> datetime | None:
        day = self.cleaned_data["until"]
        if day is None:
            return None
        end = timezone.make_aware(datetime.combine(day, datetime.max.time()))
        if end < timezone.now():
            raise ValidationError("That day is over.")
        return end


class TenantForm(forms.ModelForm):
    class Meta:
        model = Tenant
        fields = ["name", "slug"]
        labels = {"slug": "Short name"}
        help_texts = {"slug": "Lower-case letters, digits and hyphens: it stands in addresses and never changes."}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="Which system will use it.")
    scopes = forms.MultipleChoiceField(
        label="What it may do", choices=SCOPES, widget=forms.CheckboxSelectMultiple, initial=[ApiToken.Scope.INGEST]
    )
    days = forms.IntegerField(label="Good for how many days", min_value=1, max_value=3650, initial=365)
