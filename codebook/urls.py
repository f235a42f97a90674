from django.urls import URLPattern, path

from codebook.views import use

urlpatterns: list[URLPattern] = [
    path("queues/<slug:slug>/codebook/", use.choose, name="queue_codebook"),
]
