"""Log-in, sign-up and everything else about one's account: allauth's views, those of them that we use."""

from allauth.account import views as allauth
from django.urls import path

from gateway.accounts import address_pages, proofs, security, views

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
    path("account/login/passkey/", proofs.log_in_by_passkey, name="account_login_passkey"),
    # The name by which allauth leads there, once the password was right.
    path("account/login/code/", proofs.SecondStep.as_view(), name="mfa_authenticate"),
    path("account/reauthenticate/", proofs.Reauthenticate.as_view(), name="account_reauthenticate"),
    path("account/security/", security.security, name="account_security"),
    path("account/security/app/", security.AddApp.as_view(), name="account_add_app"),
    path("account/security/app/remove/", security.remove_app, name="account_remove_app"),
    path("account/security/codes/", security.new_codes, name="account_new_codes"),
    path("account/passkeys/challenge/", proofs.challenge, name="account_challenge"),
    path("account/passkeys/add/", security.AddPasskey.as_view(), name="account_add_passkey"),
    path("account/passkeys/add/challenge/", security.challenge_to_add, name="account_add_challenge"),
    path("account/passkeys/<uuid:passkey_id>/", security.ChangePasskey.as_view(), name="account_passkey"),
    path("account/sessions/", security.list_sessions, name="account_sessions"),
    path("account/sessions/end-others/", security.end_other_sessions, name="account_end_other_sessions"),
    path("account/sessions/<uuid:sid>/end/", security.end_session, name="account_end_session"),
    path("account/addresses/", address_pages.list_addresses, name="account_addresses"),
    path("account/addresses/add/", address_pages.add_address, name="account_add_address"),
    path("account/addresses/<uuid:public_id>/", address_pages.change_address, name="account_address"),
    path(
        "account/addresses/<uuid:public_id>/remove/",
        address_pages.remove_address,
        name="account_remove_address",
    ),
    path(
        "account/addresses/<uuid:public_id>/default/",
        address_pages.make_default,
        name="account_default_address",
    ),
    path("account/inactive/", allauth.account_inactive, name="account_inactive"),
]
