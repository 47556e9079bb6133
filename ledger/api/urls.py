from django.urls import path

from ledger.api import views

app_name = "ledger-api"

urlpatterns = [
    path("accounts/", views.Accounts.as_view(), name="accounts"),
]
