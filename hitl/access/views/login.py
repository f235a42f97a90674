"""Signing in and out, and one's own password."""

from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth import views as auth
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_POST

from hitl.access import attempts, doors
from hitl.access.forms import ChangePasswordForm, SetPasswordForm, SignInForm
from hitl.access.links import password_links
from hitl.access.middleware import start_clock
from hitl.audit import log

# Asked before anything else: a form's view of Django's would take PUT for POST.
as_page = method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")


@as_page
class SignIn(auth.LoginView):
    template_name = "access/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            start_clock(self.request)
            person = form.get_user()
            log.append(actor=person, action="person.signed_in", subject=f"person:{person.pk}", tenant_id=None)
        return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    person = doors.signed_in(request)
    with transaction.atomic():
        logout(request)
        log.append(actor=person, action="person.signed_out", subject=f"person:{person.pk}", tenant_id=None)
    messages.success(request, "You are signed out.")
    return redirect(settings.LOGOUT_REDIRECT_URL)


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """The answer to one guess too many (429), with when to try again."""
    again = attempts.free_again(request) or timezone.now() + get_cool_off(request)
    wait = max(1, round((again - timezone.now()).total_seconds()))
    context = {"again": again, "minutes": -(-wait // 60)}
    response = render(request, "hitl/locked_out.html", context, status=429)
    response["Retry-After"] = str(wait)
    return response


@as_page
class SetPassword(auth.PasswordResetConfirmView):
    """Where the link of an invitation leads. The token leaves the address at once, so that no page passes it on."""

    template_name = "access/set_password.html"
    form_class = SetPasswordForm
    token_generator = password_links
    success_url = reverse_lazy("login")
    title = "Set your password"

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            person = form.user
            log.append(actor=person, action="person.password_set", subject=f"person:{person.pk}", tenant_id=None)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return answer


@as_page
class ChangePassword(auth.PasswordChangeView):
    """One's own password; every other session of the person ends with it."""

    template_name = "access/change_password.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("home")
    title = "Change your password"

    def form_valid(self, form: Any) -> HttpResponse:
        person = doors.signed_in(self.request)
        with transaction.atomic():
            answer = super().form_valid(form)
            log.append(actor=person, action="person.password_changed", subject=f"person:{person.pk}", tenant_id=None)
        messages.success(self.request, "Your password is changed. Everywhere else you are signed out.")
        return answer
