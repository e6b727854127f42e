"""Carry out a plan: every post of the demo catalogue, one function for each kind of thing."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mercato.accounts import Account
from mercato.api import Answer, ApiRefused, Upload
from mercato.demo.models import PUBLISHED, Banner, Category, Option, OptionValue, Picture, Product, Variant
from mercato.demo.planning import BannerPlan, Plan, ProductPlan, StockPlan
from mercato.demo.standing import Standing
from mercato.demo.studio import Studio

CURRENCY = "EUR"
Job = Callable[[], None]
_BUSY = (502, 503, 504)
_PAUSES = (1.0, 3.0)  # seconds before an upload is tried again
_TAKEN = "media-exists"


@dataclass(frozen=True)
class Staff:
    """Who posts what: the catalogue, the stock, the banners."""

    editor: Account
    stock_keeper: Account
    marketing: Account


@dataclass
class Posting:
    """A plan being carried out. `posted` is called after each request that made something new, or not."""

    staff: Staff
    studio: Studio
    posted: Callable[[bool], None]
    category_ids: dict[str, str] = field(default_factory=dict)
    brand_ids: dict[str, str] = field(default_factory=dict)
    # Each upload keeps a core busy for a while; more at once would only wait for each other, until the edge
    # gives up on them.
    uploads: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(2))

    def prepare(self, plan: Plan, standing: Standing) -> None:
        """Post what products refer to, one after the other. Raises: ApiRefused."""
        self.category_ids.update(standing.categories)
        self.brand_ids.update(standing.brands)
        # In their order: each goes below its parent, behind its elder siblings.
        for category in plan.categories:
            self.category_ids[category.path] = self._made("/categories", self._category(category))
        for brand in plan.brands:
            self.brand_ids[brand.slug] = self._made(
                "/brands", {"slug": brand.slug, "name": brand.name, "description": brand.description}
            )
        for option in plan.options:
            self._made("/options", _option(option))
        for missing in plan.values:
            self._made(f"/options/{missing.option_id}/values", _value(missing.value))

    def jobs(self, plan: Plan) -> Iterator[Job]:
        """What is left, in any order and by several threads. Each may raise ApiRefused."""
        for product_plan in plan.products:
            yield partial(self._post_product, product_plan)
        for banner_plan in plan.banners:
            yield partial(self._post_banner, banner_plan)

    def _post_product(self, plan: ProductPlan) -> None:
        product_id = plan.id or self._made("/products", self._product(plan.product))
        for variant in plan.variants:
            variant_id = self._made("/variants", _variant(product_id, variant))
            if variant.stock:
                self._deliver(StockPlan(variant_id, variant))
        for delivery in plan.stock:
            self._deliver(delivery)
        for picture in plan.pictures:
            self._hang(product_id, picture)

    def _hang(self, product_id: str, picture: Picture) -> None:
        fields = {
            "alt": picture.alt,
            "options": json.dumps(picture.options),
            "position": str(picture.position),
        }
        upload = Upload(self.studio.shot(picture.shot), fields)
        self.posted(self._upload(f"/products/{product_id}/media", upload))

    def _upload(self, path: str, upload: Upload) -> bool:
        for pause in (*_PAUSES, None):
            try:
                with self.uploads:
                    return not self.staff.editor.upload("POST", path, upload).is_replay
            except ApiRefused as exc:
                if exc.code == _TAKEN:
                    # By an attempt before this one, whose answer came too late for the edge to wait.
                    return True
                if exc.status not in _BUSY or pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last attempt answers or raises")

    def _deliver(self, delivery: StockPlan) -> None:
        body = {
            "variant": delivery.variant_id,
            "delta": delivery.variant.stock,
            "reason": "receive",
            "note": "Opening stock",
        }
        # The id is in the key: a variant made anew in another database is another variant.
        key = f"seed:stock:{delivery.variant_id}"
        self._count(self.staff.stock_keeper.post("/stock/adjustments", body, key=key))

    def _post_banner(self, plan: BannerPlan) -> None:
        banner, path = plan.banner, f"/banners/{plan.id}"
        if plan.id:
            etag = self.staff.marketing.tag(path)
        else:
            answer = self._count(self.staff.marketing.post("/banners", self._banner(banner)))
            path, etag = f"/banners/{answer.content['id']}", answer.etag
        if banner.scene:
            upload = Upload(self.studio.scene(banner.scene), {"alt": banner.alt})
            with self.uploads:
                answer = self.staff.marketing.upload("PUT", f"{path}/image", upload, if_match=etag)
            self._count(answer)

    def _made(self, path: str, body: dict[str, Any]) -> str:
        """The id of what the catalogue's editor posts."""
        return str(self._count(self.staff.editor.post(path, body)).content["id"])

    def _count(self, answer: Answer) -> Answer:
        self.posted(not answer.is_replay)
        return answer

    def _category(self, category: Category) -> dict[str, Any]:
        return {
            "name": category.name,
            "slug": category.slug,
            "description": category.description,
            "status": PUBLISHED,
            "parent": self.category_ids[category.parent] if category.parent else None,
        }

    def _product(self, product: Product) -> dict[str, Any]:
        return {
            "title": product.title,
            "slug": product.slug,
            "subtitle": product.subtitle,
            "description": product.description,
            "details": [{"label": label, "value": value} for label, value in product.details],
            "brand": self.brand_ids[product.brand],
            "categories": [self.category_ids[path] for path in product.categories],
            "status": product.status,
        }

    def _banner(self, banner: Banner) -> dict[str, Any]:
        kind, ref = banner.target
        return {
            "placement": banner.placement,
            "title": banner.title,
            "subtitle": banner.subtitle,
            "cta_text": banner.cta_text,
            "target": {"kind": kind, "ref": ref},
            "theme": banner.theme,
            "background": banner.background,
            "foreground": banner.foreground,
            "priority": banner.priority,
            "audience": banner.audience,
            "categories": [self.category_ids[path] for path in banner.categories],
            "starts_at": banner.starts_at or None,
            "ends_at": banner.ends_at or None,
            "status": PUBLISHED,
        }


def _option(option: Option) -> dict[str, Any]:
    return {
        "code": option.code,
        "name": option.name,
        "display": option.display,
        "values": [_value(value) for value in option.values],
    }


def _value(value: OptionValue) -> dict[str, Any]:
    return {"code": value.code, "name": value.name, "swatch": value.swatch}


def _variant(product_id: str, variant: Variant) -> dict[str, Any]:
    return {
        "product": product_id,
        "sku": variant.sku,
        "options": dict(variant.options),
        "price": _money(variant.price),
        "compare_at": _money(variant.compare_at) if variant.compare_at is not None else None,
        "barcode": variant.barcode,
        "weight_grams": variant.weight,
        "status": variant.status,
        "position": variant.position,
    }


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": CURRENCY}
