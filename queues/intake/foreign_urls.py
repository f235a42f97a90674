"""The doors that lie where other tools' own servers have them."""

from django.urls import URLPattern, path

from queues.intake import otlp_door

urlpatterns: list[URLPattern] = [
    path("v1/traces", otlp_door.traces, name="otlp_traces"),
]
