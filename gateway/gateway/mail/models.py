"""The outbox: mail that is written and that no mail server has taken yet."""

from django.db import models
from django.db.models.functions import Now


class OutgoingMail(models.Model):
    """A mail that waits. Its row is deleted as soon as it is sent or void, for it may hold a code."""

    # The name of its templates, for the log: what it is about, and nothing of what it says.
    name = models.CharField(max_length=64)
    to = models.CharField(max_length=254)
    subject = models.TextField()
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # When it is tried next, or again should whoever is trying now have died.
    due_at = models.DateTimeField(db_index=True)
    # After this it helps nobody: the code in it is void.
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"
