"""Every write of the service: its options, its variants, its stock."""

from catalog_variant.operations.options import (
    add_value,
    create_option,
    delete_option,
    delete_value,
    update_option,
    update_value,
)
from catalog_variant.operations.stock import adjust_stock
from catalog_variant.operations.variants import create_variant, delete_variant, update_variant

__all__ = [
    "add_value",
    "adjust_stock",
    "create_option",
    "create_variant",
    "delete_option",
    "delete_value",
    "delete_variant",
    "update_option",
    "update_value",
    "update_variant",
]
