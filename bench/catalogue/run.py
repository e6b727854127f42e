#!/usr/bin/env python3
"""Time the public reads of a running, seeded shop, through the edge and at each service's own port.

mercato up --detach --data DIR
python bench/catalogue/run.py --data DIR
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

MERCATO = Path(sys.executable).with_name("mercato")
WARM_UP = 30


@dataclass(frozen=True)
class Read:
    """One public read, and the process that answers it."""

    name: str
    process: str
    path: str


def main() -> None:
    """Print a table of medians and 95th percentiles, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the data directory of the running system")
    parser.add_argument("--count", type=int, default=300, help="requests for each figure")
    arguments = parser.parse_args()
    report = status(arguments.data)
    ports = {process["name"]: process["port"] for process in report["processes"] if "port" in process}
    with requests.Session() as http:
        origin = report["origin"]
        print(f"{'':<44}{'edge p50':>9}{'p95':>7}{'own p50':>9}{'p95':>7}")
        for read in reads(http, origin):
            own = f"http://localhost:{ports[read.process]}"
            figures = [*timed(http, origin + read.path, arguments.count)]
            figures += timed(http, own + read.path, arguments.count)
            print(
                f"{read.name:<44}"
                + "".join(f"{f * 1000:>{w}.1f}" for f, w in zip(figures, (9, 7) * 2, strict=True))
            )


def status(data: Path | None) -> dict[str, Any]:
    """What `mercato status` says."""
    where = ["--data", str(data)] if data else []
    done = subprocess.run([MERCATO, "status", "--json", *where], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def reads(http: requests.Session, origin: str) -> Iterator[Read]:
    """The reads that pages are made of."""

    def get(path: str) -> Any:
        return http.get(origin + path, timeout=10).json()

    products = get("/api/v1/products?limit=100")["data"]
    roots = get("/api/v1/categories/tree")["data"]
    ids = ",".join(product["id"] for product in products)
    one, root = products[0], roots[0]
    variants = get(f"/api/v1/variants?product={one['id']}&limit=100")["data"]
    yield Read("categories: tree", "category", "/api/v1/categories/tree")
    yield Read("categories: one, by its path", "category", f"/api/v1/categories?path={root['path']}")
    yield Read("products: 20", "product", "/api/v1/products")
    yield Read("products: 100", "product", "/api/v1/products?limit=100")
    yield Read("products: 24 of a subtree", "product", f"/api/v1/products?category={root['id']}&limit=24")
    yield Read("products: search", "product", "/api/v1/products?q=cotton")
    yield Read("products: search with a typo", "product", "/api/v1/products?q=hoodei")
    yield Read("products: one, by its slug", "product", f"/api/v1/products?slug={one['slug']}")
    yield Read("brands", "product", "/api/v1/brands")
    yield Read("variants: of a product", "variant", f"/api/v1/variants?product={one['id']}&limit=100")
    yield Read(f"variants: summary of {len(products)}", "variant", f"/api/v1/variants/summary?product={ids}")
    yield Read("variants: matrix", "variant", f"/api/v1/variants/matrix?product={one['id']}")
    yield Read(
        f"variants: availability of {len(variants)}",
        "variant",
        "/api/v1/variants/availability?ids=" + ",".join(variant["id"] for variant in variants),
    )
    yield Read("options", "variant", "/api/v1/options?limit=100")
    yield Read("banners: live", "banner", "/api/v1/banners?placement=home_hero")
    yield Read("a picture, 640 px", "product", rendition(one, 640))


def rendition(product: dict[str, Any], width: int) -> str:
    """The URL of a size of a product's picture."""
    return next(str(each["url"]) for each in product["image"]["renditions"] if each["width"] == width)


def timed(http: requests.Session, url: str, count: int) -> tuple[float, float]:
    """Median and 95th percentile of one client's requests, in seconds."""
    took = []
    for number in range(WARM_UP + count):
        started = time.perf_counter()
        answer = http.get(url, timeout=10)
        if number >= WARM_UP:
            took.append(time.perf_counter() - started)
        if answer.status_code != requests.codes.ok:
            raise SystemExit(f"{url}: {answer.status_code} {answer.text[:200]}")
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


if __name__ == "__main__":
    main()
