"""Log-in, sign-up and everything else about one's account: allauth's views, those of them that we use."""

from allauth.account import views as allauth
from django.urls import path

from gateway.accounts import views

urlpatterns = [
    path("account", views.account, name="account"),
    # allauth sends there whoever has nothing to confirm; it has a page for managing e-mails, we have this.
    path("account", views.account, name="account_email"),
    path("account/login/", allauth.login, name="account_login"),
    path("account/logout/", allauth.logout, name="account_logout"),
    path("account/signup/", allauth.signup, name="account_signup"),
    path("account/confirm-email/", views.ConfirmEmail.as_view(), name="account_email_verification_sent"),
    path("account/password/change/", allauth.password_change, name="account_change_password"),
    path("account/password/reset/", allauth.password_reset, name="account_reset_password"),
    path(
        "account/password/reset/confirm/",
        views.ConfirmReset.as_view(),
        name="account_confirm_password_reset_code",
    ),
    path(
        "account/password/reset/complete/",
        allauth.complete_password_reset,
        name="account_complete_password_reset",
    ),
    path(
        "account/password/reset/done/",
        allauth.password_reset_from_key_done,
        name="account_password_reset_completed",
    ),
    path("account/reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("account/inactive/", allauth.account_inactive, name="account_inactive"),
]
