"""Removes what is past its end, in small pieces, so that nobody waits for it."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from django.db import connection, models, transaction
from django.db.models.functions import Now

from gateway.accounts.models import CodeTries, EmailCode, StoredSession
from gateway.background import TASKS, Task
from gateway.limits import operations as limits
from gateway.tokens.models import RefreshFamily, Revocation

ROWS_AT_ONCE: Final = 1000
FAMILIES_AT_ONCE: Final = 100  # Each with its tokens, of which there are some thousands at most.

_EVERY: Final = 3600.0
_TURNS: Final = 0x636C6561  # The advisory lock of whoever cleans up.

_logger = logging.getLogger(__name__)


def forget_expired() -> dict[str, int]:
    """Remove everything that is past its end; says how many rows of what that were.

    Processes take turns at each piece, so this may run in several of them.
    """
    removed = {name: _all_of(piece) for name, piece in _PIECES.items()}
    if any(removed.values()):
        _logger.info("Forgot what had expired.", extra={"removed": removed})
    return removed


def _all_of(piece: Callable[[], int]) -> int:
    total = 0
    while removed := piece():
        total += removed
    return total


def _families() -> int:
    # Until then they are kept, ended or not: a token that is used again must be known for one.
    with transaction.atomic():
        ended = RefreshFamily.objects.filter(absolute_expires_at__lt=Now())
        pks = list(ended.values_list("pk", flat=True)[:FAMILIES_AT_ONCE]) if _is_my_turn() else []
        with connection.cursor() as cursor:
            # In one statement: each token but the first refers to the one before it.
            cursor.execute("DELETE FROM tokens_refreshtoken WHERE family_id = ANY(%s)", [pks])
        RefreshFamily.objects.filter(pk__in=pks).delete()
    return len(pks)


def _rows(model: type[models.Model]) -> int:
    with transaction.atomic():
        expired = model._default_manager.filter(expires_at__lt=Now())
        pks: list[Any] = list(expired.values_list("pk", flat=True)[:ROWS_AT_ONCE]) if _is_my_turn() else []
        model._default_manager.filter(pk__in=pks).delete()
    return len(pks)


def _is_my_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_TURNS])
        [is_mine] = cursor.fetchone()
    return bool(is_mine)


_PIECES: Final[Mapping[str, Callable[[], int]]] = MappingProxyType(
    {
        "sessions of API clients": _families,
        "sessions of browsers": partial(_rows, StoredSession),
        "mailed codes": partial(_rows, EmailCode),
        "tries of codes": partial(_rows, CodeTries),
        "revocations": partial(_rows, Revocation),
        "limits": limits.forget_expired,
    }
)

TASKS.add(Task("forget-expired", forget_expired, every=_EVERY))
