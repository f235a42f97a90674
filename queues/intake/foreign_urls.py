"""The doors that lie where other tools' own servers have them."""

from django.urls import URLPattern, path

from queues.intake import otlp_door, phoenix_door

urlpatterns: list[URLPattern] = [
    path("v1/traces", otlp_door.traces, name="otlp_traces"),
    path("phoenix/v1/traces", phoenix_door.traces, name="phoenix_traces"),
    path("phoenix/v1/projects", phoenix_door.projects, name="phoenix_projects"),
    path("phoenix/v1/projects/<path:project>/spans", phoenix_door.project_spans, name="phoenix_spans"),
    path("phoenix/v1/span_annotations", phoenix_door.span_annotations, name="phoenix_span_annotations"),
    path("phoenix/v1/trace_annotations", phoenix_door.trace_annotations, name="phoenix_trace_annotations"),
    path("phoenix/v1/document_annotations", phoenix_door.document_annotations, name="phoenix_document_annotations"),
    path("phoenix/v1/span_notes", phoenix_door.span_notes, name="phoenix_span_notes"),
    path("phoenix/<path:rest>", phoenix_door.nowhere, name="phoenix_nowhere"),
]
