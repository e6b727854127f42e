"""Accounts. Everything else a person has stands in other tables, under their public id."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.db.models.lookups import Exact

from chassis.ids import uuid7


class UserManager(BaseUserManager["User"]):
    """Users by e-mail, whatever its case."""

    def create_user(self, email: str, password: str, **fields: Any) -> "User":
        """A new user with a hashed password.

        Raises: django.db.IntegrityError when the e-mail is taken, in any spelling of case.
        """
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """The user with this e-mail or none. PostgreSQL lowers both sides, as its unique index does."""
        return self.filter(Exact(Lower("email"), Lower(models.Value(email))))

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_email(username or "").get()


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who can log in. Tokens and other services know the public id alone."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    email = models.EmailField(max_length=254)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Every session that began earlier is void: the password or the groups are not what they were.
    credentials_changed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message="This e-mail is taken."
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class EmailCode(models.Model):
    """The code that was last mailed to a user for a purpose. The code itself is nowhere in the database."""

    class Purpose(models.TextChoices):
        VERIFY = "verify"
        RESET = "reset"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="email_codes")
    purpose = models.CharField(max_length=8, choices=Purpose)
    # HMAC-SHA256 in hexadecimal: six digits are few enough to try all of them on a plain hash.
    code_mac = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "purpose"], name="email_code_one_per_purpose"),
            models.CheckConstraint(condition=models.Q(tries__lte=5), name="email_code_tries_bounded"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"


class CodeTries(models.Model):
    """How often the code that a browser's session holds was tried. The key is a MAC, which tells nothing;
    some rows stand for codes that were never made (gateway.accounts.tries).
    """

    key = models.CharField(max_length=64, unique=True)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key[:8]
