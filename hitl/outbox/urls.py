from django.urls import URLPattern, path

from hitl.outbox.views import deliveries, endpoints

_DELIVERIES = "tenants/<slug:slug>/deliveries/"
_ENDPOINTS = "tenants/<slug:slug>/endpoints/"

urlpatterns: list[URLPattern] = [
    path(_DELIVERIES, deliveries.deliveries, name="deliveries"),
    path(_DELIVERIES + "again/", deliveries.send_all_again, name="deliveries_again"),
    path(_DELIVERIES + "<int:pk>/again/", deliveries.send_again, name="delivery_again"),
    path(_DELIVERIES + "<int:pk>/call-off/", deliveries.call_off, name="delivery_call_off"),
    path(_ENDPOINTS, endpoints.index, name="endpoints"),
    path(_ENDPOINTS + "callbacks/secret/", endpoints.callback_secret, name="callback_secret"),
    path(_ENDPOINTS + "<int:pk>/", endpoints.endpoint, name="endpoint"),
    path(_ENDPOINTS + "<int:pk>/secret/", endpoints.secret, name="endpoint_secret"),
    path(_ENDPOINTS + "<int:pk>/switch/", endpoints.switch, name="endpoint_switch"),
    path(_ENDPOINTS + "<int:pk>/test/", endpoints.test, name="endpoint_test"),
]
