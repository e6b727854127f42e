"""What search engines are told about a product, in the words of schema.org."""

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from gateway.clients.products import Product
from gateway.clients.variants import Matrix, Variant
from gateway.storefront.money import major_units
from gateway.storefront.pages import absolute
from gateway.storefront.queries.cards import product_url

_SCHEMA: Final = "https://schema.org"
# What would end a script element, or begin a comment in it, is written as JSON escapes (as json_script does).
_ESCAPES: Final = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
_VARIES_BY: Final = {
    "colour": "color",
    "color": "color",
    "size": "size",
    "material": "material",
    "pattern": "pattern",
}


def structured_data(product: Product, matrix: Matrix, trail: Sequence[Any]) -> str:
    """JSON-LD, safe inside a script element: the product with all its variants, and the way to it."""
    data = {"@context": _SCHEMA, "@graph": [_product(product, matrix), _breadcrumb(trail)]}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def _product(product: Product, matrix: Matrix) -> dict[str, Any]:
    row, url = product.row, product_url(product.row.slug)
    about: dict[str, Any] = {"name": row.title, "url": absolute(url)}
    about["description"] = row.subtitle or product.description[:300]
    if row.image:
        about["image"] = absolute(row.image.jpeg)
    if row.brand:
        about["brand"] = {"@type": "Brand", "name": row.brand.name}
    if len(matrix.variants) == 1:
        return {"@type": "Product", **about, **_variant(url, matrix.variants[0])}
    if not matrix.variants:
        return {"@type": "Product", **about}
    varies = [f"{_SCHEMA}/{_VARIES_BY[o.code]}" for o in matrix.options if o.code in _VARIES_BY]
    variants = [_with_name(row.title, matrix, url, variant) for variant in matrix.variants]
    group = {"productGroupID": row.id, "variesBy": varies, "hasVariant": variants}
    return {"@type": "ProductGroup", **about, **group}


def _with_name(title: str, matrix: Matrix, url: str, variant: Variant) -> dict[str, Any]:
    names = {
        option.code: value.name
        for option in matrix.options
        for value in option.values
        if variant.options.get(option.code) == value.code
    }
    traits = {_VARIES_BY[code]: name for code, name in names.items() if code in _VARIES_BY}
    return {
        "@type": "Product",
        "name": f"{title}, {', '.join(names.values())}",
        **traits,
        **_variant(url, variant),
    }


def _variant(url: str, variant: Variant) -> dict[str, Any]:
    stock = "OutOfStock" if variant.is_sold_out else "InStock"
    offer = {
        "@type": "Offer",
        "url": absolute(f"{url}?{urlencode({'variant': variant.sku})}"),
        "price": major_units(variant.amount_minor, variant.currency),
        "priceCurrency": variant.currency,
        "availability": f"{_SCHEMA}/{stock}",
    }
    return {"sku": variant.sku, "offers": offer}


def _breadcrumb(trail: Sequence[Any]) -> dict[str, Any]:
    items = [
        {"@type": "ListItem", "position": place, "name": link.name, "item": absolute(link.url)}
        for place, link in enumerate(trail, start=1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}
