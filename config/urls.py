from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView

from alerts.api import hooks, metrics

admin.site.site_header = "Pointkeep"
admin.site.site_title = "Pointkeep"
admin.site.index_title = _("The ledger")

urlpatterns = [
    path("", include("portal.urls")),
    # Browsers ask for it where a page names no icon, as the admin's pages do.
    path("favicon.ico", RedirectView.as_view(url=static("pointkeep/icon.svg"))),
    path("admin/", admin.site.urls),
    path("api/v1/", include("ledger.api.urls")),
    path("hooks/<str:transport>/", hooks.receive, name="hook"),
    path("metrics", metrics.show, name="metrics"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
