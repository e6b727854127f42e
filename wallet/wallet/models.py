"""The ledger as the service reads it; its tables, rules and functions stand in migrations/sql/.

Nothing is written through these models: the service's role has no right to, and the triggers refuse it too.
"""

from typing import Self

from django.db import models


class AccountQuerySet(models.QuerySet["Account"]):
    """Filters over accounts."""

    def customer(self, sub: str) -> Self:
        """The wallet of a subject: at most one account for each currency."""
        return self.filter(kind=Account.CUSTOMER, owner_sub=sub)


class Account(models.Model):
    """A customer's balance in one currency, or one of the 16 stripes of an account of the shop."""

    CUSTOMER = "customer"

    public_id = models.UUIDField()
    kind = models.TextField()
    owner_sub = models.TextField()
    currency = models.TextField()
    stripe = models.SmallIntegerField()
    guarded = models.BooleanField()
    balance_minor = models.BigIntegerField(db_column="balance")
    held_minor = models.BigIntegerField(db_column="held")
    seq = models.BigIntegerField()
    head_hash = models.BinaryField()
    last_posted_at = models.DateTimeField()
    created_at = models.DateTimeField()

    objects = AccountQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "account"

    def __str__(self) -> str:
        name = self.owner_sub if self.kind == self.CUSTOMER else f"{self.kind}/{self.stripe:02}"
        return f"{name} {self.currency}"


class Transfer(models.Model):
    """One movement of money; its entries sum to zero."""

    public_id = models.UUIDField(unique=True)
    kind = models.TextField()
    currency = models.TextField()
    amount_minor = models.BigIntegerField(db_column="amount")
    order_ref = models.TextField()
    reason = models.TextField()
    actor_sub = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "transfer"

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class Entry(models.Model):
    """One leg of a transfer in one account; numbered, chained and balanced by the database."""

    transfer = models.ForeignKey(Transfer, models.DO_NOTHING, related_name="entries")
    account = models.ForeignKey(Account, models.DO_NOTHING, related_name="entries")
    currency = models.TextField()
    amount_minor = models.BigIntegerField(db_column="amount")
    account_seq = models.BigIntegerField()
    balance_after_minor = models.BigIntegerField(db_column="balance_after")
    posted_at = models.DateTimeField()
    hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = "entry"
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"


class AuditEvent(models.Model):
    """What a person with rights did, or tried."""

    action = models.TextField()
    outcome = models.TextField()
    actor_sub = models.TextField()
    owner_sub = models.TextField()
    transfer = models.ForeignKey(
        Transfer, models.DO_NOTHING, to_field="public_id", db_column="transfer", null=True, related_name="+"
    )
    detail = models.JSONField()
    db_role = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "audit_event"

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_sub}"
