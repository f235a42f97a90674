"""Links with which a person sets a password: signed, good for three days, and spent once a password is set with one."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from hitl.access.models import User


class PasswordLinks(PasswordResetTokenGenerator):
    key_salt = "hitl.access.links.PasswordLinks"


password_links = PasswordLinks()


def path_for(person: User) -> str:
    """The path of a link that lets whoever opens it set the person's password: show it once, to the right one."""
    whom = urlsafe_base64_encode(force_bytes(person.pk))
    return reverse("set_password", args=[whom, password_links.make_token(person)])
