"""The service for staff. What they save goes through the operations, whose rules hold here as everywhere."""

from catalog_variant.admin.options import OptionAdmin
from catalog_variant.admin.site import site
from catalog_variant.admin.stock import StockMovementAdmin
from catalog_variant.admin.variants import VariantAdmin

__all__ = ["OptionAdmin", "StockMovementAdmin", "VariantAdmin", "site"]
