"""What the database refuses, said as the fact it is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction


@contextmanager
def refusing(refusals: Mapping[str, Callable[[], Exception]]) -> Iterator[None]:
    """Raises what stands for the named constraint when a write within violates it; others go on as they are.

    The savepoint keeps the transaction usable for whoever called within one.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        refusal = refusals.get(constraint_of(exc))
        if refusal is None:
            raise
        raise refusal() from exc


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that a write has violated; empty when the database does not say."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
