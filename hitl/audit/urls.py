from django.urls import path

from hitl.audit import views

urlpatterns = [
    path("audit/", views.index, name="audit"),
    path("audit/export/", views.take, name="audit_export"),
]
