import threading

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection

from gateway.accounts import factors
from gateway.accounts.operations import save_user

NOW = 1_000_000_020.0


@pytest.fixture
def codes(committed, totp_secret, password):
    clerk = save_user(email="c@example.com", password=password, groups=["finance"], totp_secret=totp_secret)
    recovery = RecoveryCodes(Authenticator.objects.get(user=clerk, type="recovery_codes")).generate_codes()
    return clerk, {"totp": factors._code_at(totp_secret, int(NOW) // 30), "recovery": recovery[0]}


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_gives_a_code_to_one_of_many_at_a_time(codes, kind):
    clerk, code = codes[0], codes[1][kind]
    together, won = threading.Barrier(4), []

    def spend():
        together.wait()
        won.append(factors.spend_otp(clerk, code, now=NOW) is not None)
        connection.close()

    threads = [threading.Thread(target=spend) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(won) == [False, False, False, True]
