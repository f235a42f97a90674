from django.urls import URLPattern, path

from queues.views import uploads

urlpatterns: list[URLPattern] = [
    path("tenants/<slug:slug>/uploads/", uploads.index, name="uploads"),
    path("tenants/<slug:slug>/uploads/new/", uploads.new, name="upload_new"),
    path("tenants/<slug:slug>/uploads/<int:pk>/", uploads.upload, name="upload"),
    path("tenants/<slug:slug>/uploads/<int:pk>/confirm/", uploads.confirm, name="upload_confirm"),
    path("tenants/<slug:slug>/uploads/<int:pk>/drop/", uploads.drop, name="upload_drop"),
    path("tenants/<slug:slug>/uploads/<int:pk>/refused.csv", uploads.rejected, name="upload_rejected"),
]
