import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/brands"
CACHE = "public, max-age=30, stale-while-revalidate=300"
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def names(response):
    return [row["name"] for row in response.json()["data"]]


def test_lists_brands_by_name_to_anybody(anonymous, make_brand):
    make_brand("Birch")
    alder = make_brand("alder", slug="alder", description="Shoes.")

    response = anonymous.get(URL)

    assert response.status_code == 200
    assert names(response) == ["alder", "Birch"]
    assert response.json()["data"][0] == {
        "id": str(alder.public_id),
        "name": "alder",
        "slug": "alder",
        "description": "Shoes.",
        "created_at": alder.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": alder.updated_at.isoformat().replace("+00:00", "Z"),
    }
    assert response["Cache-Control"] == CACHE


def test_finds_a_part_of_a_name_in_any_case(anonymous, make_brand):
    make_brand("Alder")
    make_brand("Birch")

    assert names(anonymous.get(URL, {"q": "LDE"})) == ["Alder"]


def test_gives_a_batch_of_ids_in_one_answer(anonymous, make_brand):
    wanted = [str(make_brand().public_id) for _ in range(25)]
    make_brand()

    response = anonymous.get(URL, {"ids": ",".join(wanted)})

    assert {row["id"] for row in response.json()["data"]} == set(wanted)


def test_continues_after_the_cursor(anonymous, make_brand):
    [make_brand(name) for name in ("c", "B", "a")]
    first = anonymous.get(URL, {"limit": 2})

    second = anonymous.get(URL, {"limit": 2, "cursor": first.json()["next_cursor"]})

    assert names(first) + names(second) == ["a", "B", "c"]


@pytest.mark.parametrize("parameter", ["limit=0", "cursor=x", "ids=x", "q="])
def test_points_at_a_wrong_parameter(anonymous, parameter):
    response = anonymous.get(f"{URL}?{parameter}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"?{parameter.split('=')[0]}"


def test_shows_a_brand(anonymous, make_brand):
    brand = make_brand("Alder")
    response = anonymous.get(f"{URL}/{brand.public_id}")

    again = anonymous.get(f"{URL}/{brand.public_id}", headers={"If-None-Match": response["ETag"]})

    assert (response.status_code, response.json()["name"]) == (200, "Alder")
    assert response["ETag"].startswith('"1-')
    assert again.status_code == 304


def test_does_not_know_others(anonymous):
    assert anonymous.get(f"{URL}/{UNKNOWN}").status_code == 404


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_one_query(anonymous, make_brand, django_assert_num_queries):
    brands = [make_brand() for _ in range(30)]

    with django_assert_num_queries(1):
        anonymous.get(URL, {"limit": 100})
    with django_assert_num_queries(1):
        anonymous.get(f"{URL}/{brands[0].public_id}")
