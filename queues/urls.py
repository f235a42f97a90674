from django.urls import URLPattern, path

from queues.views import assessment, calendars, intake_settings, rules, steering, traces, tray, uploads

urlpatterns: list[URLPattern] = [
    path("queues/", steering.index, name="queues"),
    path("queues/new/", steering.new, name="queue_new"),
    path("queues/<slug:slug>/", steering.page, name="queue"),
    path("queues/<slug:slug>/edit/", steering.edit, name="queue_edit"),
    path("queues/<slug:slug>/weights/", steering.weights, name="queue_weights"),
    path("calendars/", calendars.index, name="calendars"),
    path("calendars/new/", calendars.new, name="calendar_new"),
    path("calendars/<int:pk>/", calendars.edit, name="calendar"),
    path("rules/", rules.index, name="rules"),
    path("rules/new/", rules.new, name="rule_new"),
    path("rules/try/", rules.try_out, name="where_to"),
    path("rules/<int:pk>/", rules.edit, name="rule_edit"),
    path("tenants/<slug:slug>/assessment/", assessment.page, name="assessment"),
    path("unrouted/", tray.index, name="unrouted"),
    path("unrouted/again/", tray.route_again, name="unrouted_again"),
    path("unrouted/send/", tray.send, name="unrouted_send"),
    path("traces/", traces.home, name="traces_home"),
    path("tenants/<slug:slug>/traces/", traces.index, name="traces"),
    path("tenants/<slug:slug>/traces/send/", traces.send, name="traces_send"),
    path("tenants/<slug:slug>/traces/waiting/", traces.waiting, name="traces_waiting"),
    path("tenants/<slug:slug>/intake/", intake_settings.page, name="intake_settings"),
    path("tenants/<slug:slug>/uploads/", uploads.index, name="uploads"),
    path("tenants/<slug:slug>/uploads/new/", uploads.new, name="upload_new"),
    path("tenants/<slug:slug>/uploads/<int:pk>/", uploads.upload, name="upload"),
    path("tenants/<slug:slug>/uploads/<int:pk>/confirm/", uploads.confirm, name="upload_confirm"),
    path("tenants/<slug:slug>/uploads/<int:pk>/drop/", uploads.drop, name="upload_drop"),
    path("tenants/<slug:slug>/uploads/<int:pk>/refused.csv", uploads.rejected, name="upload_rejected"),
]
