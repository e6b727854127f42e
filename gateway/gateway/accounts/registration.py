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
from gateway.mail import operations as mail


class WeakPassword(DomainError):
    """The password breaks a rule for passwords."""

    code = "invalid-input"
    status = 400
    title = "The input is invalid"


def register(*, email: str, password: str) -> None:
    """Make an account for a customer, and mail the code that proves the e-mail.

    Whoever has one is told so by mail. Only who knows the password of an account whose e-mail was never
    proved is sent another code: otherwise somebody could sign up with the address of another, and have them
    prove it. All ways cost one hash.
    Raises: WeakPassword.
    """
    _require_strong(password, email)
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


def verify_email(*, email: str, code: str) -> None:
    """Note that an e-mail is its user's, who can log in from now on.

    Raises: WrongCode.
    """
    use_code(email=email, purpose=EmailCode.Purpose.VERIFY, code=code, then=operations.verify_email)


def ask_for_reset(*, email: str) -> None:
    """Mail the code that lets somebody choose a new password, or that there is no account."""
    tries.forget_expired()
    user = User.objects.with_email(email).filter(is_active=True).first()
    if user is None:
        tries.make_in_vain(email)
        mail.send(name="unknown_account", to=email)
        return
    code = new_code(user=user, purpose=EmailCode.Purpose.RESET)
    mail.send(name="password_reset_code", to=user.email, code=code)


def reset_password(*, email: str, code: str, password: str) -> None:
    """Change the password of whoever was sent this code, which proves the e-mail too.

    Every session of theirs ends, in browsers and at API clients.
    Raises: WeakPassword, WrongCode.
    """
    _require_strong(password, email)

    def change(user: User) -> None:
        operations.verify_email(user)
        operations.change_password(user=user, password=password)

    use_code(email=email, purpose=EmailCode.Purpose.RESET, code=code, then=change)


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


def _require_strong(password: str, email: str) -> None:
    try:
        validate_password(password, User(email=email))
    except ValidationError as exc:
        errors = [
            FieldError("#/password", (one.code or "invalid").replace("_", "-"), one.messages[0])
            for one in exc.error_list
        ]
        raise WeakPassword(errors=errors) from exc
