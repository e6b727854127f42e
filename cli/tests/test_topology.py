"""Who runs, where, and who knows what."""

import os
from pathlib import Path

import pytest

from mercato.credentials import Credentials, ServiceCredentials
from mercato.failures import Failure
from mercato.health import Trust
from mercato.home import Home
from mercato.topology import (
    EDGE,
    GATEWAY,
    SERVICES,
    WALLET,
    DatabaseUrls,
    Program,
    System,
    UnknownProcess,
    chosen_processes,
    needed_services,
    refuse_demo,
    settings_of_processes,
)


@pytest.fixture
def programs(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, Program]:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the caller's own")
    monkeypatch.setenv("WALLET_THREADS", "8")
    monkeypatch.setenv("MAIL_URL_FILE", "/etc/mercato/mail_url")
    services = {name: ServiceCredentials(name, name, name) for name in (s.name for s in SERVICES)}
    urls = {name: DatabaseUrls(f"db://{name}_app", f"db://{name}_owner") for name in services}
    system = System(home, "http://localhost:9000", 9000, Credentials("pg", "edge-secret", services), urls)
    return {program.name: program for program in system.programs()}


def test_ports_move_together(programs: dict[str, Program]) -> None:
    assert {name: program.ports for name, program in programs.items()} == {
        "edge": (9000, 9011),
        "web": (9010,),
        "wallet": (9001,),
        "category": (9002,),
        "product": (9003,),
        "variant": (9004,),
        "banner": (9005,),
    }
    assert programs["edge"].env["WALLET_URL"] == "http://127.0.0.1:9001"
    assert programs["edge"].env["CATALOG_CATEGORY_URL"] == "http://127.0.0.1:9002"
    assert programs["edge"].env["BANNER_URL"] == "http://127.0.0.1:9005"
    assert programs["edge"].env["WEB_URL"] == "http://127.0.0.1:9010"


def test_the_edge_starts_last(programs: dict[str, Program]) -> None:
    assert programs["edge"].tier > max(programs[name].tier for name in programs if name != "edge")


def test_the_edge_knows_no_database_and_no_private_key(programs: dict[str, Program]) -> None:
    known = programs["edge"].env

    assert known["EDGE_KEY"] == "edge-secret"
    assert not [name for name in known if "DATABASE" in name or "PRIVATE" in name or "SECRET" in name]


def test_the_wallet_knows_nothing_of_the_gateway(programs: dict[str, Program]) -> None:
    known = programs["wallet"].env

    assert known["WALLET_DATABASE_URL"] == "db://wallet_app"
    assert not [name for name in known if "EDGE" in name or "PRIVATE" in name or "GATEWAY" in name]
    assert not [value for value in known.values() if "gateway" in value or "edge-secret" in value]


@pytest.mark.parametrize("name", [EDGE, *(service.process for service in SERVICES)])
def test_no_process_runs_as_owner_or_sees_the_callers_secrets(
    programs: dict[str, Program], name: str
) -> None:
    known = programs[name].env

    assert "AWS_SECRET_ACCESS_KEY" not in known
    assert not [value for value in known.values() if "db://" in value and "_app" not in value]


def test_passes_on_what_a_service_can_be_told(programs: dict[str, Program]) -> None:
    assert programs["wallet"].env["WALLET_THREADS"] == "8"
    assert programs["web"].env["MAIL_URL_FILE"] == "/etc/mercato/mail_url"
    assert "WALLET_THREADS" not in programs["edge"].env


def test_the_edge_is_known_by_its_certificate_and_has_a_socket_for_each_worker(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGE_TLS_CERT", "cert.pem")
    monkeypatch.setenv("EDGE_WORKERS", "3")

    edge = _edge(home, "https://shop.example")

    assert edge.ready_url == "https://127.0.0.1:9000/readyz"
    assert edge.trust == Trust(os.fspath(tmp_path / "cert.pem"), "shop.example")
    assert edge.env["EDGE_TLS_CERT"] == os.fspath(tmp_path / "cert.pem")
    assert (edge.env["EDGE_WORKERS"], edge.sockets) == ("3", 3)


@pytest.mark.parametrize("workers", ["", "0", "many", "-1"])
def test_what_is_no_number_of_workers_is_left_to_the_edge_to_refuse(
    home: Home, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("EDGE_WORKERS", workers)

    assert _edge(home, "http://localhost:9000").sockets == 1


def _edge(home: Home, origin: str) -> Program:
    services = {name: ServiceCredentials(name, name, name) for name in (s.name for s in SERVICES)}
    urls = {name: DatabaseUrls(f"db://{name}_app", f"db://{name}_owner") for name in services}
    system = System(home, origin, 9000, Credentials("pg", "edge-secret", services), urls)
    return system.programs([EDGE])[0]


@pytest.mark.parametrize("name", ["EDGE_BURST", "EDGE_IDLE_SECONDS", "GATEWAY_PEOPLE_PER_ADDRESS"])
def test_passes_on_every_limit_of_the_edge(home: Home, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1500")
    credentials = Credentials("p", "e", {s.name: ServiceCredentials("s", "o", "a") for s in SERVICES})
    databases = {service.name: DatabaseUrls("app", "owner") for service in SERVICES}
    programs = System(home, "http://localhost:9000", 9000, credentials, databases).programs()

    assert {program.name for program in programs if program.env.get(name)} >= {"edge"}
    assert name in settings_of_processes()


def test_only_holders_get_private_keys_and_only_their_own(programs: dict[str, Program], home: Home) -> None:
    holders = {name: p.env["KEYS_PRIVATE"] for name, p in programs.items() if "KEYS_PRIVATE" in p.env}

    assert holders == {
        "web": os.fspath(home.keys_dir / "private" / "gateway"),
        "category": os.fspath(home.keys_dir / "private" / "catalog_category"),
        "product": os.fspath(home.keys_dir / "private" / "catalog_product"),
        "variant": os.fspath(home.keys_dir / "private" / "catalog_variant"),
    }


def test_services_know_those_they_call_and_no_other(programs: dict[str, Program]) -> None:
    known = {
        name: {variable: url for variable, url in p.env.items() if url.startswith("http://127")}
        for name, p in programs.items()
        if name != "edge"
    }

    assert known == {
        "web": {
            "WALLET_URL": "http://127.0.0.1:9001",
            "CATALOG_CATEGORY_URL": "http://127.0.0.1:9002",
            "CATALOG_PRODUCT_URL": "http://127.0.0.1:9003",
            "CATALOG_VARIANT_URL": "http://127.0.0.1:9004",
            "BANNER_URL": "http://127.0.0.1:9005",
        },
        "wallet": {},
        "category": {"CATALOG_PRODUCT_URL": "http://127.0.0.1:9003"},
        "product": {"CATALOG_CATEGORY_URL": "http://127.0.0.1:9002"},
        "variant": {"CATALOG_PRODUCT_URL": "http://127.0.0.1:9003"},
        "banner": {},
    }


def test_services_with_pictures_keep_them_in_the_data_directory(
    programs: dict[str, Program], home: Home
) -> None:
    assert programs["product"].env["CATALOG_PRODUCT_MEDIA"] == os.fspath(
        home.data_dir / "media/catalog_product"
    )
    assert programs["banner"].env["BANNER_MEDIA"] == os.fspath(home.data_dir / "media/banner")


def test_gateway_means_edge_and_web() -> None:
    assert chosen_processes(["gateway"]) == {"edge", "web"}
    assert needed_services({"edge", "web"}) == [GATEWAY]
    assert needed_services({"wallet"}) == [WALLET]


def test_refuses_a_process_that_does_not_exist() -> None:
    with pytest.raises(
        UnknownProcess, match="no process 'walet'; there are: banner, category, edge, gateway, product"
    ):
        chosen_processes(["walet"])


@pytest.mark.parametrize("origin", ["https://localhost:8000", "https://shop.example", "http://shop.example"])
def test_refuses_demo_logins_beyond_loopback(origin: str) -> None:
    with pytest.raises(Failure, match="loopback"):
        refuse_demo(origin)


def test_the_default_home_keeps_keys_in_the_repository() -> None:
    home = Home.at()

    assert home.data_dir == home.root / ".mercato"
    assert home.keys_dir == home.root / "keys"


def test_another_home_keeps_everything_together(tmp_path: Path) -> None:
    assert Home.at(tmp_path).keys_dir == tmp_path / "keys"
