import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from gateway.accounts.models import User
from gateway.accounts.roles import AUDIENCE_PREFIXES, GROUP_SCOPES, roles_of, scopes_for, scopes_of


@pytest.mark.django_db
def test_refuses_the_same_email_in_another_case(password):
    User.objects.create_user("Ann@example.com", password)

    with pytest.raises(IntegrityError, match="user_email_unique"), transaction.atomic():
        User.objects.create_user("aNN@EXAMPLE.com", password)


@pytest.mark.django_db
def test_hashes_passwords_with_argon2id(shopper, password):
    assert shopper.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert password not in shopper.password


@pytest.mark.django_db
def test_gives_users_a_time_ordered_public_id(shopper):
    assert shopper.public_id.version == 7
    assert str(shopper) == str(shopper.public_id)


@pytest.mark.django_db
def test_has_every_group_of_the_table():
    assert set(Group.objects.values_list("name", flat=True)) == GROUP_SCOPES.keys()


def test_gives_the_superuser_everything_and_the_gateway():
    others = frozenset().union(*(scopes for name, scopes in GROUP_SCOPES.items() if name != "superuser"))

    assert scopes_of(["superuser"]) == others | {"gateway:admin"}


@pytest.mark.parametrize("scope", ["wallet:settle", "stock:settle", "listings:write", "catalog:exists"])
def test_gives_nobody_a_scope_of_services(scope):
    assert scope not in scopes_of(GROUP_SCOPES)


def test_gives_nothing_for_a_group_that_is_not_in_the_table():
    assert scopes_of(["admins"]) == frozenset()
    assert roles_of(["admins"]) == ()


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ([], ()),
        (["customer"], ("customer",)),
        (["finance"], ("finance", "staff")),
        (["support", "customer"], ("customer", "support", "staff")),
    ],
)
def test_calls_staff_whoever_is_more_than_a_customer(groups, roles):
    assert roles_of(groups) == roles


@pytest.mark.parametrize("audience", sorted(AUDIENCE_PREFIXES.keys() - {"gateway"}))
def test_leaves_no_scope_of_the_gateway_to_a_service(audience):
    scopes = scopes_for(audience, scopes_of(["superuser"]))

    assert scopes
    assert not {scope for scope in scopes if scope.startswith(("gateway:", "orders:", "account:"))}
