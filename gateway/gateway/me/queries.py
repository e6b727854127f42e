"""What somebody's account says to themselves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from gateway.accounts.factors import has_second_factor
from gateway.accounts.models import User
from gateway.accounts.roles import roles_of
from gateway.tokens.forwarding import BearerRefused


@dataclass(frozen=True, slots=True)
class Me:
    """An account as its owner sees it."""

    public_id: UUID
    email: str
    created_at: datetime
    roles: tuple[str, ...]
    second_factor: bool


def get_user(sub: str) -> User:
    """The active user whom a token speaks for.

    Raises: BearerRefused.
    """
    user = User.objects.filter(public_id=sub, is_active=True).first()
    if user is None:
        raise BearerRefused
    return user


def me(sub: str) -> Me:
    """Who somebody is, as the database has it now.

    Raises: BearerRefused.
    """
    groups = Group.objects.filter(user=OuterRef("pk")).values("name")
    user = User.objects.filter(public_id=sub, is_active=True).annotate(names=ArraySubquery(groups)).first()
    if user is None:
        raise BearerRefused
    return Me(user.public_id, user.email, user.created_at, roles_of(user.names), has_second_factor(user))
