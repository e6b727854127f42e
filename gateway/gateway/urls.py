"""Every URL of the web on one screen."""

from django.urls import path
from django.views.generic import TemplateView

from gateway.tokens import views as tokens

urlpatterns = [
    path("", TemplateView.as_view(template_name="storefront/index.html"), name="index"),
    path("api/v1/auth/login", tokens.LogIn.as_view(), name="login"),
    path("api/v1/auth/refresh", tokens.Refresh.as_view(), name="refresh"),
    path("api/v1/auth/logout", tokens.LogOut.as_view(), name="logout"),
    path(".well-known/jwks.json", tokens.KeySet.as_view(), name="jwks"),
    path("internal/token", tokens.ServiceToken.as_view(), name="service-token"),
]

handler400 = "chassis.django.exceptions.handler400"
handler403 = "chassis.django.exceptions.handler403"
handler404 = "chassis.django.exceptions.handler404"
handler500 = "chassis.django.exceptions.handler500"
