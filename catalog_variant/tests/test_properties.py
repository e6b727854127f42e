"""Random movements, compared with a stock of a few lines of Python."""

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_variant.models import StockMovement, Variant
from catalog_variant.operations.stock import InsufficientStock
from chassis.django.idempotency import IdempotencyKeyReused
from chassis.ids import uuid7

REASONS = ["receive", "correction", "damage", "return"]
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
requests = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(-9, 9).filter(bool),
        st.sampled_from(REASONS),
        text,
        st.integers(0, 6),
    ),
    max_size=15,
)


class Oracle:
    """What stock should do: never give what is not there, execute a key once, remember both."""

    def __init__(self):
        self.on_hand = {0: 0, 1: 0, 2: 0}
        self.keys = {}

    def move(self, variant, delta, reason, note, key):
        request = (variant, delta, reason, note)
        if key in self.keys:
            before, answer = self.keys[key]
            return answer if before == request else IdempotencyKeyReused
        after = self.on_hand[variant] + delta
        answer = after if after >= 0 else InsufficientStock
        self.keys[key] = (request, answer)
        if after >= 0:
            self.on_hand[variant] = after
        return answer


def answer_of(adjust, variant, delta, reason, note, key):
    try:
        posting = adjust(variant, delta, reason=reason, note=note, idempotency_key=key)
    except (IdempotencyKeyReused, InsufficientStock) as exc:
        return type(exc)
    return posting.movement.on_hand_after


@pytest.mark.usefixtures("emptied")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=requests)
def test_answers_like_the_oracle_and_adds_up(make_variant, adjust, wanted):
    oracle, run = Oracle(), uuid7()
    variants = [make_variant() for _ in range(3)]

    for which, delta, reason, note, key in wanted:
        answer = answer_of(adjust, variants[which], delta, reason, note, f"{run}:{key}")
        assert answer == oracle.move(which, delta, reason, note, key)

    for which, variant in enumerate(variants):
        moved = StockMovement.objects.filter(variant=variant).aggregate(sum=Sum("delta"))["sum"] or 0
        assert Variant.objects.get(pk=variant.pk).on_hand == moved == oracle.on_hand[which]
