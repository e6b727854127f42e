import threading
from collections import Counter

from django.db import connections

from gateway.accounts.addresses import MOST, TooManyAddresses, add_address
from gateway.accounts.models import Address

HOME = {"name": "Ann Lee", "lines": ["12 Harbor Row"], "city": "Dublin", "country": "IE"}


def test_keeps_the_bound_however_many_add_at_once(committed, make_user):
    user = make_user()
    [add_address(sub=user.public_id, **HOME) for _ in range(MOST - 2)]
    outcomes = []

    def add():
        try:
            outcomes.append(add_address(sub=user.public_id, **HOME, is_default=True).is_default)
        except TooManyAddresses:
            outcomes.append("refused")
        connections.close_all()

    threads = [threading.Thread(target=add) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert Counter(outcomes) == {True: 2, "refused": 4}
    assert Address.objects.filter(user=user, is_default=True).count() == 1
