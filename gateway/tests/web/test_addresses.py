import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounts import addresses
from gateway.accounts.addresses import MOST, add_address
from gateway.accounts.countries import COUNTRIES
from gateway.accounts.models import Address

HOME = {
    "name": "Ann Lee",
    "lines": ["12 Harbor Row", "2nd floor"],
    "postcode": "D02 X285",
    "city": "Dublin",
    "region": "",
    "country": "IE",
    "phone": "+353 1 234 5678",
}


@pytest.fixture
def call(anonymous, forge, shopper):
    """Sends a request below /api/v1/me/addresses as the shopper, or as somebody else."""

    def send(method, path="", body=None, *, user=shopper):
        token = forge.mint("gateway", scope="account:write", sub=str(user.public_id))
        bearer = {"Authorization": f"Bearer {token}"}
        return getattr(anonymous, method)(f"/api/v1/me/addresses{path}", body, format="json", headers=bearer)

    return send


@pytest.fixture
def theirs(make_user):
    return add_address(sub=make_user().public_id, **HOME)


pytestmark = pytest.mark.django_db


def test_adds_an_address(call):
    response = call("post", body=HOME)

    assert response.status_code == 201
    added = response.json()
    assert response.headers["Location"] == f"/api/v1/me/addresses/{added['id']}"
    assert added == HOME | {"id": added["id"], "created_at": added["created_at"], "is_default": True}
    assert call("get", f"/{added['id']}").json() == added


def test_has_one_default_at_most(call):
    first = call("post", body=HOME).json()
    second = call("post", body=HOME | {"city": "Cork"}).json()
    third = call("post", body=HOME | {"city": "Galway", "is_default": True}).json()
    changed = call("patch", f"/{second['id']}", {"is_default": True}).json()

    rows = call("get").json()["data"]
    assert [first["is_default"], second["is_default"], third["is_default"]] == [True, False, True]
    assert changed["is_default"]
    assert [(row["city"], row["is_default"]) for row in rows] == [
        *[("Cork", True), ("Dublin", False), ("Galway", False)]
    ]


def test_changes_what_is_sent_and_nothing_else(call):
    added = call("post", body=HOME).json()

    changed = call("patch", f"/{added['id']}", {"city": "Cork", "phone": ""}).json()

    assert changed == added | {"city": "Cork", "phone": ""}


def test_removes_an_address(call):
    added = call("post", body=HOME).json()

    assert call("delete", f"/{added['id']}").status_code == 204
    assert call("get", f"/{added['id']}").status_code == 404
    assert call("delete", f"/{added['id']}").status_code == 404


def test_keeps_so_many_and_no_more(call, shopper):
    [add_address(sub=shopper.public_id, **HOME) for _ in range(MOST)]

    response = call("post", body=HOME)

    assert (response.status_code, response.json()["code"]) == (409, "too-many-addresses")
    assert len(call("get").json()["data"]) == MOST


@pytest.mark.case("K1")
@pytest.mark.parametrize(("method", "body"), [("get", None), ("patch", {"city": "Cork"}), ("delete", None)])
def test_knows_no_address_of_somebody_else(call, theirs, method, body):
    response = call(method, f"/{theirs.public_id}", body)

    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert Address.objects.get(pk=theirs.pk).city == "Dublin"


@pytest.mark.case("K1")
def test_lists_no_address_of_somebody_else(call, theirs):
    assert call("get").json() == {"data": []}


@pytest.mark.case("K3")
@pytest.mark.parametrize("member", ["user", "user_id", "sub", "id", "public_id", "owner", "created_at"])
def test_takes_no_member_that_is_not_the_clients(call, theirs, member):
    value = str(theirs.user.public_id)

    added = call("post", body=HOME | {member: value})
    mine = call("post", body=HOME).json()
    changed = call("patch", f"/{mine['id']}", {member: value})

    assert [added.status_code, changed.status_code] == [400, 400]
    assert added.json()["errors"] == [
        {"pointer": f"#/{member}", "code": "unknown", "detail": "This member is not known here."}
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "Ann\nLee"},
        {"name": 5},
        {"lines": []},
        {"lines": ["a"] * 4},
        {"lines": "12 Harbor Row"},
        {"lines": ["a\u2028b"]},
        {"lines": [""]},
        {"city": None},
        {"country": "ie"},
        {"country": "XX"},
        {"country": ["IE"]},
        {"postcode": "1" * 17},
        {"phone": "call me"},
        {"phone": "1" * 33},
        {"is_default": "true"},
        {"region": "\x00"},
    ],
)
def test_refuses_what_is_no_address(call, wrong):
    [member] = wrong

    response = call("post", body=HOME | wrong)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert {error["pointer"].split("/")[1] for error in response.json()["errors"]} == {member}
    assert not Address.objects.exists()


@pytest.mark.parametrize("member", ["name", "lines", "city", "country"])
def test_needs_what_a_letter_needs(call, member):
    body = {name: value for name, value in HOME.items() if name != member}

    assert call("post", body=body).json()["errors"][0]["pointer"] == f"#/{member}"


def test_knows_the_countries_of_iso_3166():
    assert len(COUNTRIES) == 249
    assert (COUNTRIES["DE"], COUNTRIES["GB"], COUNTRIES["CI"]) == (
        "Germany",
        "United Kingdom",
        "Côte d'Ivoire",
    )
    assert all(len(code) == 2 and code.isupper() and name for code, name in COUNTRIES.items())


@pytest.mark.parametrize("wrong", [{"country": "ie"}, {"is_default": True}])
def test_is_guarded_by_the_database_too(shopper, wrong):
    address = add_address(sub=shopper.public_id, **HOME)
    other = add_address(sub=shopper.public_id, **HOME)

    with pytest.raises(IntegrityError), transaction.atomic():
        Address.objects.filter(pk=other.pk).update(**wrong)

    assert address.is_default


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(member=st.sampled_from(sorted(HOME)), value=ANY_JSON)
def test_answers_any_json_with_an_address_or_a_refusal(anonymous, forge, member, value):
    token = forge.mint("gateway", scope="account:write", sub="01a207f1-5e27-7555-a937-b47bb44b1017")

    response = anonymous.post(
        "/api/v1/me/addresses",
        HOME | {member: value},
        format="json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert response.status_code in {400, 404}


@pytest.mark.parametrize(
    ("method", "path", "body", "queries"),
    [
        ("get", "", None, 1),
        ("get", "/{}", None, 1),
        ("post", "", HOME, 5),
        ("patch", "/{}", {"city": "Cork"}, 5),
        ("delete", "/{}", None, 1),
    ],
)
def test_keeps_the_number_of_queries(
    anonymous, log_in, shopper, django_assert_num_queries, method, path, body, queries
):
    bearer = {"Authorization": f"Bearer {log_in(shopper)['access']}"}
    mine = addresses.add_address(sub=shopper.public_id, **HOME)
    url = f"/api/v1/me/addresses{path.format(mine.public_id)}"

    with django_assert_num_queries(queries):
        getattr(anonymous, method)(url, body, format="json", headers=bearer)
