"""Every URL of the web on one screen."""

from django.contrib import admin
from django.urls import include, path

from gateway.accounts import api as accounts
from gateway.developers import views as developers
from gateway.tokens import views as tokens

urlpatterns = [
    path("", include("gateway.storefront.urls")),
    path("", include("gateway.accounts.urls")),
    path("", include("gateway.staff.urls")),
    path("", include("gateway.mail.urls")),
    path("", include("gateway.developers.urls")),
    path("admin/gateway/", admin.site.urls),
    path("api/v1/auth/register", accounts.Register.as_view(), name="register"),
    path("api/v1/auth/email/verify", accounts.VerifyEmail.as_view(), name="verify-email"),
    path("api/v1/auth/password/reset", accounts.ResetPassword.as_view(), name="reset-password"),
    path("api/v1/auth/login", tokens.LogIn.as_view(), name="login"),
    path("api/v1/auth/refresh", tokens.Refresh.as_view(), name="refresh"),
    path("api/v1/auth/logout", tokens.LogOut.as_view(), name="logout"),
    path("api/openapi.json", developers.Document.as_view(), name="openapi"),
    path(".well-known/jwks.json", tokens.KeySet.as_view(), name="jwks"),
    path("internal/token", tokens.ServiceToken.as_view(), name="service-token"),
]

handler400 = "gateway.errors.bad_request"
handler403 = "gateway.errors.forbidden"
handler404 = "gateway.errors.not_found"
handler500 = "gateway.errors.server_error"
