"""A new password for whoever knows the present one."""

from django.db import transaction

from chassis.problems import DomainError, FieldError
from chassis.tokens import Principal
from gateway.accounts import operations as accounts
from gateway.accounts.models import User
from gateway.accounts.registration import require_strong
from gateway.limits.operations import give_back, take
from gateway.limits.quotas import REAUTHENTICATE
from gateway.me.queries import get_user
from gateway.tokens.models import RefreshFamily, Revocation


class WrongPassword(DomainError):
    """The password that was given as the present one is not."""

    code = "invalid-input"
    status = 400
    title = "The input is invalid"

    def __init__(self) -> None:
        wrong = FieldError("#/current_password", "wrong-password", "This is not your password.")
        super().__init__(errors=[wrong])


def change_password(*, who: Principal, current_password: str, password: str) -> None:
    """Give whoever knows the present password another one. Every session ends but the one that asks.

    Raises: BearerRefused, TooManyRequests, WrongPassword, WeakPassword.
    """
    user = get_user(who.sub)
    taken = take(REAUTHENTICATE, str(user))
    if not user.check_password(current_password):
        raise WrongPassword
    give_back(taken)
    require_strong(password, user.email)
    _change(user, password, sid=who.sid)


@transaction.atomic
def _change(user: User, password: str, *, sid: str) -> None:
    if User.objects.select_for_update().get(pk=user.pk).password != user.password:
        raise WrongPassword  # Somebody has changed it in this moment.
    accounts.change_password(user=user, password=password)
    # Whoever asks has just proved to be the user: this session is one from after the change.
    live = RefreshFamily.objects.filter(sid=sid, user=user, revoked_at=None)
    if live.update(authenticated_at=user.credentials_changed_at):
        Revocation.objects.filter(sid=sid).delete()
