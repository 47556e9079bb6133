from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.i18n import set_language

from portal import health, views
from portal.reaching import views as reaching

app_name = "portal"

urlpatterns = [
    path("", views.balance, name="balance"),
    path("programmes/<slug:code>/", views.balance, name="programme"),
    path("programmes/<slug:code>/history/", views.history, name="history"),
    path("programmes/<slug:code>/closing/", views.closing, name="closing"),
    path("programmes/<slug:code>/keeping/", views.keeping, name="keeping"),
    path("programmes/<slug:code>/reaching/", reaching.reaching, name="reaching"),
    path("programmes/<slug:code>/reaching/<int:pk>/", reaching.proving, name="proving"),
    path("programmes/<slug:code>/reaching/<int:pk>/removing/", reaching.removing, name="removing"),
    path(
        "sign-in/",
        LoginView.as_view(template_name="portal/sign_in.html", redirect_authenticated_user=True),
        name="sign-in",
    ),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("language/", set_language, name="language"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("inbox/", views.inbox_list, name="inbox"),
    path("inbox/<str:key>/", views.inbox_message, name="message"),
    path("health/", health.health, name="health"),
]
