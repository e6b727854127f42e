"""The variants of a product: every combination of its colors and options, with prices and stock."""

import hashlib
from itertools import product as combinations

from mercato.demo.models import COLOR, PUBLISHED, Product, Variant

# Of a hundred variants so many begin sold out, and so many more with the last few pieces.
_SOLD_OUT = 7
_LAST_FEW = 14


def variants_of(product: Product) -> list[Variant]:
    """The variants in the order in which a picker shows them."""
    choices = [(COLOR, product.colors), *product.options.items()]
    codes = [code for code, _ in choices]
    chosen = combinations(*(values for _, values in choices))
    return [
        _variant(product, position, dict(zip(codes, values, strict=True)))
        for position, values in enumerate(chosen)
    ]


def _variant(product: Product, position: int, options: dict[str, str]) -> Variant:
    sku = "-".join([product.sku, *(value.replace("-", "") for value in options.values())]).upper()
    extra = sum(product.surcharges.get(f"{code}/{value}", 0) for code, value in options.items())
    return Variant(
        sku=sku,
        options=options,
        price=product.price + extra,
        compare_at=product.compare_at + extra if product.compare_at is not None else None,
        barcode=_barcode(sku),
        weight=product.weight,
        position=position,
        status=product.status,
        stock=_stock(sku) if product.status == PUBLISHED else 0,
    )


def _stock(sku: str) -> int:
    """How many pieces the shop begins with: the same for the same SKU, on every machine."""
    number = _number(f"stock {sku}")
    share, pieces = number % 100, number // 100
    if share < _SOLD_OUT:
        return 0
    if share < _SOLD_OUT + _LAST_FEW:
        return 1 + pieces % 4
    return 8 + pieces % 53


def _barcode(sku: str) -> str:
    """An EAN-13 that is nobody's: GS1 leaves the prefix 20 to each shop for itself."""
    digits = f"20{_number(f'barcode {sku}') % 10**10:010d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
