from uuid import UUID

import pytest

from gateway.accounts.addresses import MOST, add_address
from gateway.accounts.models import Address

pytestmark = pytest.mark.django_db

PAGE = "/account/addresses/"
NOBODY = UUID("01a207f1-5e27-7555-a937-b47bb44b1017")
FILLED = {
    "name": "Ann Lee",
    "lines": "12 Harbor Row\r\n 2nd floor \r\n",
    "postcode": "D02 X285",
    "city": "Dublin",
    "region": "",
    "country": "IE",
    "phone": "+353 1 234 5678",
}
KEPT = {"name": "Ann Lee", "lines": ["12 Harbor Row"], "city": "Dublin", "country": "IE"}


@pytest.fixture
def mine(browse_as, shopper):
    """The browser of the shopper, logged in."""
    return browse_as(shopper)


@pytest.fixture
def address(shopper):
    return add_address(sub=shopper.public_id, **KEPT)


@pytest.fixture
def theirs(make_user):
    return add_address(sub=make_user().public_id, **KEPT)


def paths_of(address):
    return [
        f"{PAGE}{address.public_id}/",
        f"{PAGE}{address.public_id}/remove/",
        f"{PAGE}{address.public_id}/default/",
    ]


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}add/", f"{PAGE}{NOBODY}/"])
def test_leads_a_visitor_to_the_log_in(browser, path):
    answer = browser.get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/account/login/?next={path}"


@pytest.mark.parametrize("name", ["remove", "default"])
def test_lets_no_visitor_change_anything(browser, address, name):
    assert browser.post(f"{PAGE}{address.public_id}/{name}/").status_code == 302
    assert Address.objects.filter(pk=address.pk).exists()


def test_adds_an_address_and_shows_it_as_on_a_letter(mine):
    answer = mine.post(f"{PAGE}add/", FILLED)
    page = mine.get(PAGE).content.decode()

    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert "12 Harbor Row<br>2nd floor<br>D02 X285 Dublin<br>Ireland" in page
    assert Address.objects.get().is_default


def test_escapes_what_was_entered(mine):
    mine.post(f"{PAGE}add/", FILLED | {"name": "<script>alert(1)</script>"})

    page = mine.get(PAGE).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_offers_what_was_entered_to_be_changed(mine, address):
    page = mine.get(f"{PAGE}{address.public_id}/").content.decode()

    assert '<option value="IE" selected>Ireland</option>' in page
    assert 'autocomplete="street-address"' in page
    assert "12 Harbor Row</textarea>" in page


def test_changes_an_address(mine, address):
    mine.post(f"{PAGE}{address.public_id}/", FILLED | {"city": "Cork"})

    address.refresh_from_db()
    assert (address.city, address.lines, address.is_default) == (
        "Cork",
        ["12 Harbor Row", "2nd floor"],
        False,
    )


def test_makes_another_the_default(mine, address, shopper):
    other = add_address(sub=shopper.public_id, **KEPT | {"city": "Cork"})

    mine.post(f"{PAGE}{other.public_id}/default/")

    assert list(Address.objects.filter(is_default=True)) == [other]


def test_removes_an_address(mine, address):
    mine.post(f"{PAGE}{address.public_id}/remove/")

    assert not Address.objects.exists()
    assert "You have none yet." in mine.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"lines": "a\nb\nc\nd"}, "At most 3 lines."),
        ({"lines": "x" * 101}, "At most 100 characters on a line."),
        ({"lines": " \n "}, "This field is required."),
        ({"lines": "a\x07b"}, "This must be one line of plain text."),
        ({"country": "XX"}, "Select a valid choice."),
        ({"phone": "call me"}, "This must be a telephone number."),
        ({"city": "a\x07b"}, "This must be one line of plain text."),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_entered(mine, wrong, said):
    answer = mine.post(f"{PAGE}add/", FILLED | wrong)

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert 'value="D02 X285"' in answer.content.decode()
    assert not Address.objects.exists()


def test_says_that_there_are_enough(mine, shopper):
    [add_address(sub=shopper.public_id, **KEPT) for _ in range(MOST)]

    answer = mine.post(f"{PAGE}add/", FILLED)

    assert "You have 20 addresses." in answer.content.decode()
    assert "as many as there may be" in mine.get(PAGE).content.decode()
    assert Address.objects.count() == MOST


@pytest.mark.case("K1")
@pytest.mark.parametrize("index", range(3))
def test_knows_no_address_of_somebody_else(mine, theirs, index):
    answer = mine.post(paths_of(theirs)[index], FILLED)

    assert answer.status_code == 404
    assert Address.objects.get(pk=theirs.pk).lines == ["12 Harbor Row"]


@pytest.mark.case("K1")
def test_shows_no_address_of_somebody_else(mine, theirs):
    assert mine.get(paths_of(theirs)[0]).status_code == 404
    assert "Harbor Row" not in mine.get(PAGE).content.decode()


@pytest.mark.parametrize("name", ["remove", "default"])
def test_changes_nothing_by_a_link(mine, address, name):
    assert mine.get(f"{PAGE}{address.public_id}/{name}/").status_code == 405


def test_asks_for_the_token_of_the_form(mine, address):
    mine.handler.enforce_csrf_checks = True

    assert mine.post(f"{PAGE}{address.public_id}/remove/").status_code == 403
    assert mine.post(f"{PAGE}add/", FILLED).status_code == 403


def test_keeps_the_number_of_queries(mine, address, django_assert_num_queries):
    with django_assert_num_queries(3):
        mine.get(PAGE)
