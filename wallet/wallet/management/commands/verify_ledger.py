"""manage.py verify_ledger: prove the whole ledger again, trusting nothing that keeps it."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC
from itertools import islice
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2 writes its class so.

_SHOWN: Final = 5

# What each query finds is wrong. PostgreSQL sorts on disk what does not fit its work_mem.
_QUERIES: Final = {
    "entries sum to zero in each currency": """
        SELECT currency || ' sums to ' || sum(amount) FROM entry GROUP BY currency HAVING sum(amount) <> 0
    """,
    "transfers have two legs or more that sum to zero": """
        SELECT 'transfer ' || t.public_id FROM transfer t LEFT JOIN entry e ON e.transfer_id = t.id
         GROUP BY t.id, t.currency
        HAVING count(e.id) < 2 OR sum(e.amount) <> 0 OR sum(greatest(e.amount, 0)) <> t.amount
    """,
    "balances are the sums of their entries": """
        SELECT 'account ' || a.public_id FROM account a LEFT JOIN entry e ON e.account_id = a.id GROUP BY a.id
        HAVING a.balance <> coalesce(sum(e.amount), 0) OR a.seq <> count(e.id)
            OR a.guarded AND a.balance < a.held
    """,
    "running balances, numbers and times have no gap": """
        SELECT 'account ' || a.public_id || ' at entry ' || e.account_seq
          FROM (SELECT *, lag(account_seq, 1, 0::bigint) OVER history AS seq_before,
                       lag(balance_after, 1, 0::bigint) OVER history AS balance_before,
                       lag(posted_at, 1, '-infinity') OVER history AS posted_before
                  FROM entry WINDOW history AS (PARTITION BY account_id ORDER BY account_seq)) e
          JOIN account a ON a.id = e.account_id
         WHERE e.account_seq <> e.seq_before + 1 OR e.balance_after <> e.balance_before + e.amount
            OR e.posted_at <= e.posted_before
    """,
}
_CHAINS: Final = """
    SELECT a.public_id::text, a.head_hash, e.account_seq, e.amount, e.currency, e.balance_after, e.posted_at,
           e.hash, t.public_id::text, t.kind, t.order_ref, t.reason, t.actor_sub,
           lead(e.id) OVER (PARTITION BY a.id ORDER BY e.account_seq) IS NULL
      FROM account a LEFT JOIN entry e ON e.account_id = a.id LEFT JOIN transfer t ON t.id = e.transfer_id
     ORDER BY a.id, e.account_seq
"""


class Command(BaseCommand):
    """Reads one snapshot in constant memory, so it can run beside the service."""

    help = "Check every entry, balance and hash of the ledger; exit 1 when anything is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SET LOCAL statement_timeout = 0")
            results = {name: self._report(name, found) for name, found in checks(connection.connection)}
        if not all(results.values()):
            raise CommandError("The ledger is broken.")

    def _report(self, name: str, found: Iterator[str]) -> bool:
        shown = list(islice(found, _SHOWN))
        more = sum(1 for _ in found)
        if not shown:
            self.stdout.write(f"ok    {name}")
            return True
        self.stdout.write(f"FAIL  {name}: {'; '.join(shown)}{f'; and {more} more' if more else ''}")
        return False


def checks(ledger: Connection) -> Iterator[tuple[str, Iterator[str]]]:
    """Every check by name, with a line for each thing that it finds wrong."""
    for name, query in _QUERIES.items():
        yield name, (line for (line,) in _stream(ledger, query))
    yield "hashes chain all entries to the head of their account", broken_chains(ledger)


def broken_chains(ledger: Connection) -> Iterator[str]:
    """Computes every hash again from what it covers and the hash before it."""
    previous = b""
    for account, head, seq, *entry, is_last in _stream(ledger, _CHAINS):
        computed = b"" if seq is None else entry_hash(previous, account, seq, entry)
        stored = b"" if seq is None else bytes(entry[4])
        if computed != stored or (is_last and computed != bytes(head)):
            yield f"account {account} at entry {seq or 0}"
        previous = b"" if is_last else stored


def entry_hash(previous: bytes, account: str, seq: int, entry: list[Any]) -> bytes:
    """SHA-256 of an entry's canonical text, which migrations/sql/0001_triggers.sql defines."""
    amount, currency, balance_after, posted_at, _, transfer, kind, order_ref, reason, actor_sub = entry
    posted = posted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    members = ["mercato-entry-1", previous.hex(), account, seq, amount, currency, balance_after, posted]
    members += [transfer, kind, order_ref, reason, actor_sub]
    return hashlib.sha256(json.dumps(members, ensure_ascii=False).encode()).digest()


def _stream(ledger: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    # A named cursor stays at the server; rows come over 2,000 at a time.
    with ledger.cursor(name="verify_ledger") as cursor:
        cursor.execute(query)
        yield from cursor
