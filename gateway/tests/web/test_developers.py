"""The pages and documents for developers."""

import gzip
import json

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from openapi_spec_validator import validate

from gateway.clients.testing import SERVICES
from gateway.developers import document
from gateway.developers.merging import CannotMerge, merge
from gateway.developers.problems import PROBLEMS
from gateway.developers.swagger import FILES, SwaggerFiles

PAGES = ["/developers/", "/developers/reference/", "/problems/", "/problems/insufficient-funds"]
DOCUMENT = "/api/openapi.json"


def specification(path, *, title="Mercato wallet", operation_id="wallet", schemas=None, uses="Output"):
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{uses}"}}}
    operation = {"operationId": operation_id, "responses": {"200": {"content": content}}}
    return {
        "info": {"title": title, "description": "About it."},
        "paths": {path: {"get": operation}},
        "components": {"schemas": {"ProblemOutput": {"type": "object"}} | (schemas or {"Output": {}})},
    }


@pytest.mark.parametrize("path", PAGES)
def test_asks_neither_the_database_nor_a_service(shop, browser, path):
    # Tests without the mark for the database fail when it is asked, so this is with a session's cookie too.
    browser.cookies[settings.SESSION_COOKIE_NAME] = "0123456789abcdefghijklmnopqrstuv"

    response = browser.get(path)

    assert response.status_code == 200
    assert [shop[name].paths() for name in SERVICES] == [[]] * len(SERVICES)


@pytest.mark.parametrize("path", [*PAGES, DOCUMENT])
def test_is_the_same_for_everybody_and_asked_again(browser, path):
    first = browser.get(path)

    again = browser.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"].startswith("public")
    assert "Set-Cookie" not in first.headers
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", [*PAGES, DOCUMENT])
def test_a_condition_for_writes_changes_nothing(browser, path):
    response = browser.get(path, headers={"If-Match": '"other"'})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/json, text/html;q=0.1", "application/json"),
        ("text/html;q=0, application/json", "application/json"),
        ("image/png", "application/json"),
        ("Text/HTML", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
def test_a_problem_is_a_page_for_who_prefers_pages(client, accept, kind):
    response = client.get("/problems/not-found", headers={"Accept": accept})

    assert response.headers["Content-Type"] == kind


def test_shows_the_theme_that_was_chosen(browser):
    plain = browser.get("/developers/")
    browser.cookies["theme"] = "dark"

    dark = browser.get("/developers/", headers={"If-None-Match": plain.headers["ETag"]})

    assert dark.status_code == 200
    assert 'data-theme="dark"' in dark.content.decode()
    assert "Cookie" in dark.headers["Vary"]


@pytest.mark.parametrize("path", ["/developers", "/developers/reference", "/problems"])
def test_leads_to_the_path_with_a_slash(browser, path):
    response = browser.get(path)

    assert (response.status_code, response.headers["Location"]) == (301, f"{path}/")


def test_lists_every_problem(browser):
    page = browser.get("/problems/").content.decode()

    assert [code for code in PROBLEMS if f'href="/problems/{code}"' not in page] == []


@pytest.mark.parametrize("code", PROBLEMS)
def test_has_a_page_for_a_problem(browser, code):
    page = browser.get(f"/problems/{code}").content.decode()
    data = browser.get(f"/problems/{code}", headers={"Accept": "application/json"}).json()

    assert f"<h1>{PROBLEMS[code].title}</h1>" in page
    assert "`" not in page
    assert data["type"] == f"/problems/{code}"
    assert data["statuses"] == list(PROBLEMS[code].statuses)


def test_lists_problems_to_programs(client):
    data = client.get("/problems/").json()["data"]

    assert [each["code"] for each in data] == list(PROBLEMS)
    assert data[0].keys() == {"type", "code", "title", "statuses", "meaning", "remedy", "services"}


@pytest.mark.parametrize("code", ["nope", "Conflict", "conflict/"])
def test_knows_no_other_problem(shop, browser, client, code):
    assert browser.get(f"/problems/{code}").status_code == 404
    assert client.get(f"/problems/{code}").json()["code"] == "not-found"


def test_takes_reads_only(client):
    assert [client.post(path).status_code for path in [*PAGES, DOCUMENT]] == [405] * 5


def test_serves_the_document_of_this_origin(client):
    response = client.get(DOCUMENT, headers={"Accept-Encoding": "gzip", "Accept": "text/html"})
    served = json.loads(gzip.decompress(response.content))

    validate(served)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert served["servers"] == [{"url": settings.ORIGIN}]
    assert served["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_the_committed_document_is_what_the_services_say():
    call_command("merge_openapi", check=True)


def test_tells_when_the_committed_document_is_another(tmp_path, monkeypatch):
    stale = tmp_path / "openapi.json"
    stale.write_text("{}")
    monkeypatch.setattr("gateway.developers.management.commands.merge_openapi.FILE", stale)

    with pytest.raises(CommandError, match="run merge_openapi"):
        call_command("merge_openapi", check=True)


def test_gives_every_operation_its_service_and_its_problems():
    merged = json.loads(document.FILE.read_text())
    operations = [operation for item in merged["paths"].values() for operation in item.values()]
    told = [each for each in operations if isinstance(each, dict)]

    assert len(told) == document.operation_count()
    assert {tuple(each["tags"]) for each in told} == {(tag["name"],) for tag in merged["tags"]}
    assert all(each["responses"].keys() >= {"502", "503", "504"} for each in told)


def test_calls_schemas_that_differ_after_their_services():
    merged = merge(
        {
            "wallet": specification("/api/v1/wallet", schemas={"Output": {"type": "string"}}),
            "catalog_variant": specification(
                "/api/v1/stock", operation_id="stock", schemas={"Output": {"type": "integer"}}
            ),
        }
    )

    content = merged["paths"]["/api/v1/stock"]["get"]["responses"]["200"]["content"]
    assert merged["components"]["schemas"].keys() == {"ProblemOutput", "WalletOutput", "CatalogVariantOutput"}
    assert content["application/json"]["schema"]["$ref"].endswith("/CatalogVariantOutput")


def test_keeps_one_of_schemas_that_are_alike():
    merged = merge(
        {
            "wallet": specification("/api/v1/wallet"),
            "banner": specification("/api/v1/banners", operation_id="banners"),
        }
    )

    assert merged["components"]["schemas"].keys() == {"ProblemOutput", "Output"}


def test_tells_schemas_apart_by_what_they_refer_to():
    reference = {"items": {"$ref": "#/components/schemas/Item"}}
    merged = merge(
        {
            "wallet": specification("/api/v1/wallet", schemas={"Output": reference, "Item": {"a": 1}}),
            "banner": specification(
                "/api/v1/banners", operation_id="banners", schemas={"Output": reference, "Item": {"a": 2}}
            ),
        }
    )

    schemas = merged["components"]["schemas"]
    assert schemas["WalletOutput"]["items"]["$ref"].endswith("/WalletItem")
    assert schemas["BannerOutput"]["items"]["$ref"].endswith("/BannerItem")


def test_leaves_out_what_the_edge_does_not_route():
    merged = merge({"wallet": specification("/internal/wallet")})

    assert merged["paths"] == {}
    assert merged["components"]["schemas"].keys() == {"ProblemOutput"}


@pytest.mark.parametrize(("path", "operation_id"), [("/api/v1/wallet", "other"), ("/api/v1/other", "wallet")])
def test_merges_no_path_and_no_operation_twice(path, operation_id):
    documents = {
        "wallet": specification("/api/v1/wallet"),
        "banner": specification(path, operation_id=operation_id),
    }

    with pytest.raises(CannotMerge):
        merge(documents)


def test_finds_swagger_ui_and_nothing_else_of_its_package():
    found = {name: finders.find(f"swagger-ui/{name}") for name in FILES}

    assert all(found.values())
    assert finders.find("swagger-ui/swagger-ui-standalone-preset.js") is None
    assert finders.find("swagger-ui.css") is None


def test_collects_swagger_ui_without_naming_its_source_maps():
    collected = {name: storage.open(name).read() for name, storage in SwaggerFiles().list(None)}

    assert collected.keys() == set(FILES)
    assert [name for name, content in collected.items() if b"sourceMappingURL" in content] == []


def test_leads_from_the_shop_to_the_developers(shop, browser):
    assert 'href="/developers/"' in browser.get("/").content.decode()
