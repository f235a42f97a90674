from django.urls import include, path

from hitl.views.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("api/v1/", include("hitl.api")),
    path("", include("hitl.access.urls")),
    path("", include("hitl.audit.urls")),
    path("", include("hitl.outbox.urls")),
    path("", include("hitl.jobs.urls")),
    path("api/public/", include("queues.intake.langfuse.urls")),
    path("langsmith/", include("queues.intake.langsmith.urls")),
    path("", include("queues.intake.foreign_urls")),
    path("", include("queues.urls")),
    path("", include("codebook.urls")),
    path("", include("reviews.urls")),
]
