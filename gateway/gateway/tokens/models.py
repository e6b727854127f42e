"""Refresh tokens, known by hash alone, in families that live and die together (RFC 9700 section 4.14)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from chassis.ids import uuid7
from gateway.accounts.roles import PASSWORD


def password_alone() -> list[str]:
    """The means of a log-in that nothing more is said of."""
    return [PASSWORD]


class RefreshFamily(models.Model):
    """One log-in: every refresh token that descends from it, and why it ended if it did."""

    class Reason(models.TextChoices):
        LOGOUT = "logout"
        REUSE = "reuse"
        INACTIVE = "inactive"
        CREDENTIALS_CHANGED = "credentials-changed"
        STAFF = "staff"

    sid = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="refresh_families"
    )
    client_id = models.CharField(max_length=64)
    # What the client asked for; it is given as much of that as the user still has. Empty: everything.
    scope = models.CharField(max_length=1024, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    ip_prefix = models.CharField(max_length=49, blank=True)
    authenticated_at = models.DateTimeField()
    # By which means that was (RFC 8176).
    amr = ArrayField(models.CharField(max_length=8), default=password_alone)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    absolute_expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=24, choices=Reason, blank=True)

    class Meta:
        verbose_name_plural = "refresh families"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_because="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_because="")),
                name="refresh_family_revoked_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.sid)


class RefreshToken(models.Model):
    """One refresh token of a family; good for one rotation. The token itself is nowhere in the database."""

    # SHA-256 of the jti claim in hexadecimal. The signature is what cannot be made up from it.
    jti_hash = models.CharField(max_length=64, unique=True)
    family = models.ForeignKey(RefreshFamily, on_delete=models.CASCADE, related_name="tokens")
    # One to one: even a broken lock could not give a token two children.
    parent = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="child"
    )
    issued_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.jti_hash[:12]


class Revocation(models.Model):
    """What the published list says until every token that it concerns has expired by itself: a session, or
    everything of a subject from before a time, or of everybody (gateway.tokens.revocations).
    """

    sid = models.CharField(max_length=64, blank=True)
    sub = models.CharField(max_length=36, blank=True)
    # Unix seconds. Whatever was issued earlier is void; of a session everything is.
    not_before = models.BigIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sid="") | models.Q(sub=""), name="revocation_of_a_session_or_a_subject"
            ),
        ]

    def __str__(self) -> str:
        return self.sid or self.sub or "everybody"
