"""How Django and allauth have a password checked: the way the API does."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from gateway.accounts import operations
from gateway.accounts.models import User
from gateway.limits import devices


class EmailAndPassword(ModelBackend):
    """E-mail and password, with the same work and answer whatever is wrong.

    Rights are not looked up here: what somebody may do follows from the groups (gateway.accounts.roles).
    """

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, email: str = "", password: str = "", code: str = "", **more: Any
    ) -> User | None:
        """The user, None when there is none with both.

        Raises: LoginCodeRequired, gateway.limits.operations.TooManyRequests.
        """
        try:
            # allauth asks those who have not proved their e-mail for the code before it lets them in.
            return operations.authenticate(
                email=email,
                password=password,
                code=code,
                visitor=devices.browser_of(request),
                may_be_unverified=True,
            ).user
        except operations.WrongCredentials:
            return None
