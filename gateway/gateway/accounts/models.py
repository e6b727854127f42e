"""Accounts. Everything else a person has stands in other tables, under their public id."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
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


class StoredSession(models.Model):
    """A session of a browser (gateway.accounts.session_store). With a user when somebody has logged in."""

    # SHA-256 of the key in hexadecimal. The key itself is in the browser alone.
    key_hash = models.CharField(max_length=64, primary_key=True)
    data = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="browser_sessions")
    sid = models.UUIDField(null=True)
    began_at = models.DateTimeField(null=True)
    authenticated_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    ip_prefix = models.CharField(max_length=49, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None)
                | models.Q(
                    sid__isnull=False,
                    began_at__isnull=False,
                    authenticated_at__isnull=False,
                    seen_at__isnull=False,
                ),
                name="stored_session_of_a_user_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.key_hash[:12]


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


class Address(models.Model):
    """Where somebody has things sent. At most one of theirs is the default."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    name = models.CharField(max_length=100)
    # Street and number and whatever else comes before the city, as it is written on a letter.
    lines = ArrayField(models.CharField(max_length=100), size=3)
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2)
    phone = models.CharField(max_length=32, blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default=True), name="address_one_default_per_user"
            ),
            models.CheckConstraint(
                condition=models.Q(country__regex="^[A-Z]{2}$"), name="address_country_has_two_letters"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
