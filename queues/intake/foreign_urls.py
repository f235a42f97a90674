"""The doors that lie where other tools' own servers have them."""

from django.urls import URLPattern, path

from queues.intake.otlp import door as otlp
from queues.intake.phoenix import door as phoenix

urlpatterns: list[URLPattern] = [
    path("v1/traces", otlp.traces, name="otlp_traces"),
    path("phoenix/v1/traces", phoenix.traces, name="phoenix_traces"),
    path("phoenix/v1/projects", phoenix.projects, name="phoenix_projects"),
    path("phoenix/v1/projects/<path:project>/spans", phoenix.project_spans, name="phoenix_spans"),
    path("phoenix/v1/span_annotations", phoenix.span_annotations, name="phoenix_span_annotations"),
    path("phoenix/v1/trace_annotations", phoenix.trace_annotations, name="phoenix_trace_annotations"),
    path("phoenix/v1/document_annotations", phoenix.document_annotations, name="phoenix_document_annotations"),
    path("phoenix/v1/span_notes", phoenix.span_notes, name="phoenix_span_notes"),
    path("phoenix/<path:rest>", phoenix.nowhere, name="phoenix_nowhere"),
]
