from django.urls import URLPattern, path

from hitl.access.views import login, people, tenants

urlpatterns: list[URLPattern] = [
    path("login/", login.SignIn.as_view(), name="login"),
    path("logout/", login.sign_out, name="logout"),
    path("password/", login.ChangePassword.as_view(), name="change_password"),
    path("welcome/<uidb64>/<token>/", login.SetPassword.as_view(), name="set_password"),
    path("people/", people.index, name="people"),
    path("people/new/", people.new, name="person_new"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/profile/", people.profile, name="person_profile"),
    path("people/<int:pk>/permissions/<slug:kind>/", people.permissions, name="person_permissions"),
    path("people/<int:pk>/authorities/", people.authority_new, name="authority_new"),
    path("people/<int:pk>/authorities/<int:held>/revoke/", people.authority_revoke, name="authority_revoke"),
    path("people/<int:pk>/administrator/", people.administrator, name="person_administrator"),
    path("people/<int:pk>/deactivate/", people.deactivate, name="person_deactivate"),
    path("people/<int:pk>/reactivate/", people.reactivate, name="person_reactivate"),
    path("people/<int:pk>/link/", people.link, name="person_link"),
    path("tenants/", tenants.index, name="tenants"),
    path("tenants/new/", tenants.new, name="tenant_new"),
    path("tenants/<slug:slug>/", tenants.tenant, name="tenant"),
    path("tenants/<slug:slug>/tokens/", tenants.token_list, name="tokens"),
    path("tenants/<slug:slug>/tokens/<int:pk>/revoke/", tenants.token_revoke, name="token_revoke"),
]
