"""The public API under /api/v1/: every room's router, one shape of error, and documentation that needs no script."""

import logging
from functools import wraps
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, re_path, reverse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema
from pydantic.json_schema import models_json_schema

from codebook.api import router as labels
from codebook.labels.import_schema import Declared, EarlierLabel
from hitl.access.tokens import TokenRefused
from hitl.api_docs import operations
from queues.intake.api import router as intake
from queues.intake.body import BodyRefused
from queues.intake.complaint_schema import PublicComplaint
from queues.intake.complaints_api import router as complaints
from queues.intake.drift_api import router as drift
from queues.intake.drift_schema import ReportedDrift
from queues.intake.feedback import origins
from queues.intake.feedback.api import router as feedback
from queues.intake.feedback.rates import TooMuch
from queues.intake.feedback.schema import FeedbackEvent
from queues.intake.schema import AssessedAnswer, EscalatedCase
from queues.intake.signal_schema import MODELS as SIGNALS
from queues.intake.signals_api import router as signals
from queues.intake.trace_api import router as traces
from queues.intake.trace_schema import RecordedTrace
from reviews.consent_api import TakenBack
from reviews.consent_api import router as consent

log = logging.getLogger(__name__)

ABOUT: Final = (
    "Send answers that need a person, and get the verdict back. Every request shows a token: "
    "`Authorization: Bearer hitl_…`. Every error is `{error, detail?}`: a sentence, and what was kept."
)
# All that pages of other origins may call.
FROM_PAGES: Final = frozenset(("send_feedback",))


class Docs(DocsBase):
    """The same document as openapi.json, as a page in the house's own look."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        context = {"operations": operations(api.get_openapi_schema()), "openapi_url": self.get_openapi_url(api, {})}
        return render(request, "hitl/api_docs.html", context)


class Api(NinjaAPI):
    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """With the models of the bodies that we read ourselves."""
        document = super().get_openapi_schema(**kwargs)
        _, bodies = models_json_schema(
            [
                (EscalatedCase, "validation"),
                (AssessedAnswer, "validation"),
                (RecordedTrace, "validation"),
                (FeedbackEvent, "validation"),
                (PublicComplaint, "validation"),
                (ReportedDrift, "validation"),
                (TakenBack, "validation"),
                *((model, "validation") for model in SIGNALS),
                (EarlierLabel, "validation"),
                (Declared, "validation"),
            ],
            ref_template="#/components/schemas/{model}",
        )
        document["components"]["schemas"] |= bodies["$defs"]
        return document


api = Api(title="hitl", version="1", description=ABOUT, docs=Docs(), urls_namespace="api")
api.add_router("", intake)
api.add_router("", signals)
api.add_router("", traces)
api.add_router("", feedback)
api.add_router("", complaints)
api.add_router("", drift)
api.add_router("", consent)
api.add_router("", labels)


def _error(status: int, sentence: str, **headers: str) -> HttpResponse:
    return JsonResponse({"error": sentence}, status=status, headers=headers)


@api.exception_handler(TokenRefused)
def _no_token(request: HttpRequest, refused: TokenRefused) -> HttpResponse:
    challenge = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
    return _error(refused.status, refused.sentence, **challenge)


@api.exception_handler(BodyRefused)
def _no_body(request: HttpRequest, refused: BodyRefused) -> HttpResponse:
    return _error(refused.status, refused.sentence)


@api.exception_handler(TooMuch)
def _too_much(request: HttpRequest, refused: TooMuch) -> HttpResponse:
    return _error(429, str(refused), **{"Retry-After": str(refused.seconds)})


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, missing: Http404) -> HttpResponse:
    return _error(404, str(missing) or "There is nothing here.")


@api.exception_handler(ValidationError)
def _wrong_parameters(request: HttpRequest, wrong: ValidationError) -> HttpResponse:
    said = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}." for one in wrong.errors]
    return _error(422, " ".join(said))


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """What is wrong here is for the log; whoever asked hears whether to try again."""
    if isinstance(error, DatabaseError | InterfaceError):
        log.error("The API could not use the database", exc_info=error)
        return _error(503, "The database could not be used just now. Try again; what was taken counts as a duplicate.")
    log.error("The API failed", exc_info=error)
    return _error(500, "Something failed here, and its log says what. Sending the same again is safe.")


@login_not_required
@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    return _error(404, f"There is nothing at this address. What there is stands at {reverse('api:openapi-view')}.")


def _opened(pattern: URLPattern) -> URLPattern:
    """Reached without signing in (the token decides), and in words where the method is not done."""
    view = origins.across(pattern.callback) if pattern.name in FROM_PAGES else pattern.callback

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, *args, **kwargs)
        except Http404:
            return nowhere(request)
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            return _error(405, f"{request.method} is not done here; use {allowed}.", Allow=allowed)
        return response

    pattern.callback = login_not_required(answer)
    return pattern


app_name = "api"
urlpatterns = [
    *(_opened(pattern) for pattern in api.urls[0] if isinstance(pattern, URLPattern)),
    re_path(r"^", nowhere, name="nowhere"),
]
