"""Figures and logs: docs/metrics.md says what the processes show, and one id finds a request in them all."""

import json
import re
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import yaml

ROOT = Path(__file__).resolve().parents[1]
MONITORING = ROOT / "deploy" / "monitoring"
DASHBOARD = MONITORING / "grafana" / "mercato.json"
PROCESSES = {"edge", "web", "wallet", "category", "product", "variant", "banner"}
PORTS = {
    "gateway-edge": 8011,
    "gateway-web": 8010,
    "wallet": 8001,
    "catalog-category": 8002,
    "catalog-product": 8003,
    "catalog-variant": 8004,
    "banner": 8005,
}
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\| [^|]+ \| ([\w, ]+) \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:mercato|process|python)_\w+")
SAMPLE = re.compile(r"^(mercato_\w+?)(?:_bucket|_count|_sum)?(?:\{(.*)\})? \S+$", re.MULTILINE)
REQUESTS = 1000
LINE_FIELDS = {
    *("time", "level", "service", "event", "request_id", "method", "path", "route", "status"),
    *("duration_ms", "bytes"),
}


def who(words):
    words = words.removeprefix("all but ") if words.startswith("all but ") else words
    return set(words.split(", "))


def documented():
    """Name, type and labels of every figure, by process."""
    found = {process: set() for process in PROCESSES}
    for name, kind, labels, words in ROW.findall((ROOT / "docs" / "metrics.md").read_text()):
        named = PROCESSES if words == "all" else who(words)
        for process in PROCESSES - named if words.startswith("all but ") else named:
            found[process].add((name, kind, labels))
    return found


def exposition(system, process):
    answer = requests.get(f"http://127.0.0.1:{system.metrics_ports[process]}/metrics", timeout=10)
    assert answer.status_code == 200
    return answer.text


def shown(text):
    return set(re.findall(r"^# TYPE (mercato_\w+) (\w+)$", text, re.MULTILINE))


def labels_of(text):
    """The labels of each figure that has samples, without those of a histogram's buckets."""
    found = {}
    for name, labels in SAMPLE.findall(text):
        found[name] = set(re.findall(r'(\w+)="', labels)) - {"le"}
    return found


def series(system, process):
    return {line.rpartition(" ")[0] for line in exposition(system, process).splitlines() if line[:1] != "#"}


def lines(system, process):
    log = system.data_dir / "logs" / f"{process}.log"
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def answered(system, process, request_id):
    return [
        line
        for line in lines(system, process)
        if line.get("request_id") == request_id and line["event"] == "Answered a request."
    ]


def expressions():
    """Every PromQL expression of the alerts and of the dashboard."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [
        *(rule["expr"] for group in groups for rule in group["rules"]),
        *(target["expr"] for panel in panels for target in panel.get("targets", ())),
    ]


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_shows_what_is_documented_and_nothing_else(system, process):
    text = exposition(system, process)
    told = documented()[process]

    assert shown(text) == {(name, kind) for name, kind, _ in told}
    named = {name: {word for word in labels.split(", ") if word} for name, _, labels in told}
    assert labels_of(text) == {name: named[name] for name in labels_of(text)}


def test_names_only_figures_that_there_are(system):
    there = {name for figures in documented().values() for name, _, _ in figures}
    there |= set(re.findall(r"^# TYPE ((?:process|python)_\w+)", exposition(system, "wallet"), re.MULTILINE))

    used = {re.sub(r"_bucket$", "", name) for text in expressions() for name in NAME.findall(text)}

    assert len(used) > 20
    assert used - there == set()


def test_no_client_makes_up_figures(system, connect):
    def ask(number):
        # Every request has a path of its own, some of them below the routes of the edge and of services.
        places = ("", "/api/v1/products", "/api/v1/categories", "/p", "/api/v1/banners")
        methods = ("GET", "PROPFIND", "POST", "M-SEARCH", "REPORT", "GET", "MKCOL")
        method, place = methods[number % len(methods)], places[number % len(places)]
        wire.send(f"{method} {place}/{uuid4().hex} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        reply = wire.reply()
        assert reply is not None
        return reply.status

    host = system.origin.removeprefix("http://")
    with connect(system.port) as wire:
        known = {ask(number) for number in range(70)}
        before = {process: series(system, process) for process in ("edge", "web", "product", "category")}

        assert {ask(number) for number in range(REQUESTS)} <= known

        assert {process: series(system, process) for process in before} == before


def test_one_id_finds_a_request_in_every_process_that_it_touched(system, eventually):
    def touched(path):
        # The ids of the page's lines, by process; the edge writes its own last, and in batches.
        request_id = f"seek-{uuid4().hex}"
        page = system.request("GET", f"/c/{path}/", headers={"X-Request-ID": request_id})
        assert (page.status_code, page.headers["X-Request-ID"]) == (200, request_id)
        eventually(lambda: answered(system, "edge", request_id))
        return {process: answered(system, process, request_id) for process in sorted(PROCESSES)}

    paths = [category["path"] for category in system.request("GET", "/api/v1/categories").json()["data"]]
    # What was looked at lately is in the memory of the web or of the products, and no further question.
    found = next(found for found in map(touched, reversed(paths)) if found["product"] and found["category"])

    assert found["web"]
    assert all(line.keys() >= LINE_FIELDS for lines in found.values() for line in lines)


def test_an_error_says_the_id_that_stands_in_the_logs(system, eventually):
    token = system.log_in("shopper")["access"]
    answer = system.request("GET", f"/api/v1/wallet/transactions/{uuid4()}", token=token)

    assert answer.status_code == 404
    request_id = answer.json()["request_id"]
    eventually(lambda: answered(system, "edge", request_id) and answered(system, "wallet", request_id))
    subjects = {answered(system, process, request_id)[0]["sub"] for process in ("edge", "wallet")}
    assert subjects == {system.logins["shopper"]["sub"]}


@pytest.mark.parametrize(
    ("process", "event"), [("edge", "The edge listens."), ("wallet", "Serving."), ("banner", "Serving.")]
)
def test_what_is_no_request_has_no_id(system, process, event):
    (line,) = [line for line in lines(system, process) if line["event"] == event][-1:]

    assert "request_id" not in line
    assert line["service"] == process
    assert datetime.fromisoformat(line["time"]).utcoffset().total_seconds() == 0


@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus-containers.yml"])
def test_scrapes_every_process_of_the_system(name):
    configuration = yaml.safe_load((MONITORING / name).read_text())
    ports = {
        job["job_name"]: int(job["static_configs"][0]["targets"][0].rpartition(":")[2])
        for job in configuration["scrape_configs"]
    }

    assert configuration["rule_files"] == ["alerts.yml"]
    assert ports == PORTS
    assert set(re.findall(r'\bjob="([^"]+)"', "\n".join(expressions()))) <= PORTS.keys()


def test_every_alert_says_how_bad_and_what():
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    alerts = [rule for group in groups for rule in group["rules"]]

    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    assert {rule["labels"]["severity"] for rule in alerts} == {"page", "ticket"}
    assert all(rule["expr"] and rule["annotations"]["summary"] for rule in alerts)


def test_the_dashboard_asks_whatever_source_grafana_is_told():
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]

    assert dashboard["schemaVersion"] >= 39
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["targets"] for panel in panels)
