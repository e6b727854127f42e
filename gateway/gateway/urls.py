"""Every URL of the web on one screen."""

from django.contrib import admin
from django.urls import include, path

from gateway.accounts import api as accounts
from gateway.developers import views as developers
from gateway.me import views as me
from gateway.tokens import views as tokens

urlpatterns = [
    path("api/v1/auth/register", accounts.Register.as_view(), name="register"),
    path("api/v1/auth/email/verify", accounts.VerifyEmail.as_view(), name="verify-email"),
    path("api/v1/auth/password/reset", accounts.ResetPassword.as_view(), name="reset-password"),
    path("api/v1/auth/login", tokens.LogIn.as_view(), name="login"),
    path("api/v1/auth/refresh", tokens.Refresh.as_view(), name="refresh"),
    path("api/v1/auth/logout", tokens.LogOut.as_view(), name="logout"),
    path("api/v1/auth/logout-all", tokens.LogOutEverywhere.as_view(), name="logout-all"),
    path("api/v1/auth/revoke", tokens.Revoke.as_view(), name="revoke"),
    path("api/v1/me", me.Me.as_view(), name="me"),
    path("api/v1/me/password", me.Password.as_view(), name="me-password"),
    path("api/v1/me/sessions", me.Sessions.as_view(), name="me-sessions"),
    path("api/v1/me/sessions/<uuid:sid>", me.SessionDetail.as_view(), name="me-session"),
    path("api/v1/me/addresses", me.Addresses.as_view(), name="me-addresses"),
    path("api/v1/me/addresses/<uuid:public_id>", me.AddressDetail.as_view(), name="me-address"),
    path("api/openapi.json", developers.Document.as_view(), name="openapi"),
    path(".well-known/jwks.json", tokens.KeySet.as_view(), name="jwks"),
    path(".well-known/oauth-authorization-server", tokens.Metadata.as_view(), name="metadata"),
    path("internal/token", tokens.ServiceToken.as_view(), name="service-token"),
    # What programs ask stands before these: they are sixty patterns to look through.
    path("", include("gateway.storefront.urls")),
    path("", include("gateway.accounts.urls")),
    path("", include("gateway.staff.urls")),
    path("", include("gateway.mail.urls")),
    path("", include("gateway.developers.urls")),
    path("admin/gateway/", admin.site.urls),
]

handler400 = "gateway.errors.bad_request"
handler403 = "gateway.errors.forbidden"
handler404 = "gateway.errors.not_found"
handler500 = "gateway.errors.server_error"
