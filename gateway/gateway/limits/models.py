"""What is counted, and from where people have logged in before: by MACs, which tell nothing of anybody."""

from django.conf import settings
from django.db import models


class Counter(models.Model):
    """How often something was tried within a window of time that began with the first try."""

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key[:8]


class KnownDevice(models.Model):
    """A browser or a network from which a user has logged in, until it is forgotten."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="known_devices")
    key = models.CharField(max_length=64)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="known_device_once_per_user")]

    def __str__(self) -> str:
        return self.key[:8]
