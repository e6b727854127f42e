"""Creates or updates users from JSON, for the command line and the seed."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from chassis.problems import DomainError
from gateway.accounts.factors import BadSecret
from gateway.accounts.models import User
from gateway.accounts.operations import save_user
from gateway.accounts.roles import scopes_of

_FORM: Final = "Each user needs an email, a password and a list of groups, and may have a totp_secret."


@dataclass(frozen=True, slots=True)
class _Wanted:
    email: str
    password: str
    groups: list[str]
    totp_secret: str = ""


class Command(BaseCommand):
    help = (
        "Reads a JSON array of {email, password, groups, totp_secret?} on standard input or in a file; "
        "creates or updates each user, all or none; prints a JSON array of {email, sub, scopes}."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, help="Where the array stands, instead of standard input.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = _parse(_read(options["file"]))
        try:
            with transaction.atomic():
                users = [save_user(**asdict(one)) for one in wanted]
        except DomainError as exc:
            raise CommandError(exc.detail) from exc
        except BadSecret as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(json.dumps([_describe(user) for user in users]))


def _read(path: Path | None) -> str:
    if path is None:
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{path} cannot be read.") from exc


def _parse(text: str) -> list[_Wanted]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise CommandError("This is not JSON.") from exc
    if not isinstance(items, list):
        raise CommandError("This is not a JSON array.")
    return [_parse_one(item) for item in items]


def _parse_one(item: Any) -> _Wanted:
    match item:
        case {"email": str(email), "password": str(password), "groups": [*groups], **rest}:
            totp_secret = rest.pop("totp_secret", None) or ""
        case _:
            raise CommandError(_FORM)
    if rest or not isinstance(totp_secret, str):
        raise CommandError(_FORM)
    try:
        validate_email(email)
        validate_password(password, User(email=email))
    except ValidationError as exc:
        raise CommandError(f"{email}: {' '.join(exc.messages)}") from exc
    return _Wanted(email, password, [str(group) for group in groups], totp_secret)


def _describe(user: User) -> dict[str, Any]:
    groups = user.groups.values_list("name", flat=True)
    return {"email": user.email, "sub": str(user.public_id), "scopes": sorted(scopes_of(groups))}
