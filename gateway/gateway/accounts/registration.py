"""Sign-up and reset by the API; every answer is the same whether the e-mail has an account or not."""

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from chassis.problems import DomainError, FieldError
from gateway.accounts import operations, tries
from gateway.accounts.codes import new_code, use_code
from gateway.accounts.models import EmailCode, User
from gateway.limits import devices
from gateway.limits import operations as limits
from gateway.limits.operations import Claim
from gateway.limits.quotas import CODE, MAIL, MAIL_UNKNOWN, RESET, SIGN_UP
from gateway.limits.visitors import NOBODY, Visitor
from gateway.mail import operations as mail


class WeakPassword(DomainError):
    """The password breaks a rule for passwords."""

    code = "invalid-input"
    status = 400
    title = "The input is invalid"


def register(*, email: str, password: str, visitor: Visitor = NOBODY) -> None:
    """Make an account for a customer, and mail the code that proves the e-mail.

    Whoever has one is told so by mail. Only who knows the password of an account whose e-mail was never
    proved is sent another code: otherwise somebody could sign up with the address of another, and have them
    prove it. All ways cost one hash.
    Raises: WeakPassword, gateway.limits.operations.TooManyRequests.
    """
    require_strong(password, email)
    limits.take_together(Claim(SIGN_UP, (visitor.address,)), *mail_claims(email, visitor))
    user = User.objects.with_email(email).first()
    if user is None:
        user = _create(email, password)
    elif not check_password(password, user.password) or not _awaits_proof(user):
        user = None
    if user is None:
        mail.send(name="account_already_exists", to=email)
    else:
        code = new_code(user=user, purpose=EmailCode.Purpose.VERIFY)
        mail.send(name="email_confirmation_signup", to=user.email, code=code)


def verify_email(*, email: str, code: str, visitor: Visitor = NOBODY) -> None:
    """Note that an e-mail is its user's, who can log in from now on.

    Raises: WrongCode, gateway.limits.operations.TooManyRequests.
    """
    taken = limits.take(CODE, visitor.address)
    use_code(email=email, purpose=EmailCode.Purpose.VERIFY, code=code, then=operations.verify_email)
    limits.give_back(taken)


def ask_for_reset(*, email: str, visitor: Visitor = NOBODY) -> None:
    """Mail the code that lets somebody choose a new password, or that there is no account.

    Raises: gateway.limits.operations.TooManyRequests.
    """
    limits.take_together(Claim(RESET, (visitor.address,)), *mail_claims(email, visitor))
    tries.forget_expired()
    user = User.objects.with_email(email).filter(is_active=True).first()
    if user is None:
        tries.make_in_vain(email)
        mail.send(name="unknown_account", to=email)
        return
    code = new_code(user=user, purpose=EmailCode.Purpose.RESET)
    mail.send(name="password_reset_code", to=user.email, code=code)


def reset_password(*, email: str, code: str, password: str, visitor: Visitor = NOBODY) -> None:
    """Change the password of whoever was sent this code, which proves the e-mail too.

    Every session of theirs ends, in browsers and at API clients, and no device is known but this.
    Raises: WeakPassword, WrongCode, gateway.limits.operations.TooManyRequests.
    """
    require_strong(password, email)
    taken = limits.take(CODE, visitor.address)

    def change(user: User) -> None:
        operations.verify_email(user)
        operations.change_password(user=user, password=password)
        devices.remember(user, visitor)

    use_code(email=email, purpose=EmailCode.Purpose.RESET, code=code, then=change)
    limits.give_back(taken)


def mail_claims(email: str, visitor: Visitor) -> list[Claim]:
    """What a mail to somebody is counted for, because somebody asked for it.

    Who floods a mailbox from many places must not keep its owner from being mailed: from where they have
    logged in before nobody else's mails count.
    """
    name = email.lower()
    if devices.is_known(email, visitor):
        return [Claim(MAIL, (name, visitor.device))]
    return [Claim(MAIL, (name, visitor.network)), Claim(MAIL_UNKNOWN, (name,))]


def _create(email: str, password: str) -> User | None:
    try:
        with transaction.atomic():
            user = operations.create_customer(email=email, password=password)
            EmailAddress.objects.create(user=user, email=user.email.lower(), primary=True)
    except IntegrityError:
        return None  # Somebody else took the e-mail in that moment.
    return user


def _awaits_proof(user: User) -> bool:
    return user.is_active and not EmailAddress.objects.filter(user=user, verified=True).exists()


def require_strong(password: str, email: str) -> None:
    """Raises: WeakPassword, unless this will do as the password of whoever has this e-mail."""
    try:
        validate_password(password, User(email=email))
    except ValidationError as exc:
        errors = [
            FieldError("#/password", (one.code or "invalid").replace("_", "-"), one.messages[0])
            for one in exc.error_list
        ]
        raise WeakPassword(errors=errors) from exc
