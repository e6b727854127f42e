from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from gateway.tokens.models import RefreshFamily, RefreshToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def family(log_in, shopper):
    log_in(shopper)
    return RefreshFamily.objects.get()


def test_a_revocation_has_a_reason(family):
    with pytest.raises(IntegrityError, match="refresh_family_revoked_with_a_reason"):
        RefreshFamily.objects.update(revoked_at=timezone.now())


def test_a_token_has_one_child(family):
    parent = family.tokens.get()
    expires_at = timezone.now() + timedelta(days=7)
    RefreshToken.objects.create(jti_hash="a" * 64, family=family, parent=parent, expires_at=expires_at)

    with pytest.raises(IntegrityError, match="parent_id"):
        RefreshToken.objects.create(jti_hash="b" * 64, family=family, parent=parent, expires_at=expires_at)


def test_a_hash_stands_once(family):
    token = family.tokens.get()

    with pytest.raises(IntegrityError, match="jti_hash"):
        RefreshToken.objects.create(jti_hash=token.jti_hash, family=family, expires_at=token.expires_at)


def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
