"""How much work a password costs."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.

    Django's own take 100 MiB and eight lanes for each log-in under way, which lets a handful of
    simultaneous log-ins exhaust a small machine. A change here re-hashes each password at its next log-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
