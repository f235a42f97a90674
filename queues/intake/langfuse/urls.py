from django.urls import URLPattern, path

from queues.intake.langfuse import door

urlpatterns: list[URLPattern] = [
    path("scores", door.post_scores, name="langfuse_scores"),
    path("ingestion", door.ingestion, name="langfuse_ingestion"),
    path("otel/v1/traces", door.traces, name="langfuse_traces"),
    path("projects", door.projects, name="langfuse_projects"),
    path("health", door.health, name="langfuse_health"),
    path("<path:rest>", door.nowhere, name="langfuse_nowhere"),
]
