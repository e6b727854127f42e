"""Sign-up, proof of an e-mail, and reset for API clients."""

from typing import Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chassis.django.openapi import problems
from gateway.accounts import registration
from gateway.accounts.serializers import RegisterInput, ResetPasswordInput, VerifyEmailInput
from gateway.credentials import NO_STORE, CredentialsView
from gateway.limits.devices import client_of

_PROBLEMS: Final = problems(400, 413, 415, 429)


class Register(CredentialsView):
    @extend_schema(
        operation_id="register",
        tags=["auth"],
        auth=[],
        description="Mails a code that proves the e-mail. One that has an account gets the same answer.",
        request=RegisterInput,
        responses={202: None, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = RegisterInput(data=request.data)
        data.is_valid(raise_exception=True)
        registration.register(**data.validated_data, visitor=client_of(request._request))
        return Response(status=202, headers=NO_STORE)


class VerifyEmail(CredentialsView):
    @extend_schema(
        operation_id="verify_email",
        tags=["auth"],
        auth=[],
        description="A code is good for 15 minutes, once, and for five tries.",
        request=VerifyEmailInput,
        responses={204: None, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = VerifyEmailInput(data=request.data)
        data.is_valid(raise_exception=True)
        registration.verify_email(**data.validated_data, visitor=client_of(request._request))
        return Response(status=204, headers=NO_STORE)


class ResetPassword(CredentialsView):
    @extend_schema(
        operation_id="reset_password",
        tags=["auth"],
        auth=[],
        description=(
            "With the e-mail alone: mails a code, 202 whether or not there is an account. "
            "With the code and a password: changes it and ends every session, 204."
        ),
        request=ResetPasswordInput,
        responses={202: None, 204: None, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = ResetPasswordInput(data=request.data)
        data.is_valid(raise_exception=True)
        if "code" in data.validated_data:
            registration.reset_password(**data.validated_data, visitor=client_of(request._request))
            return Response(status=204, headers=NO_STORE)
        registration.ask_for_reset(**data.validated_data, visitor=client_of(request._request))
        return Response(status=202, headers=NO_STORE)
