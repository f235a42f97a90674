from django.urls import URLPattern, path

from hitl.jobs import views

urlpatterns: list[URLPattern] = [
    path("jobs/<int:pk>/", views.job, name="job"),
    path("jobs/<int:pk>/progress/", views.progress, name="job_progress"),
]
