"""Home, by role."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def page(request: HttpRequest) -> HttpResponse:
    return redirect("review")
