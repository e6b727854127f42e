"""The service over HTTP: who may ask, what is asked, and one call that answers it."""

from catalog_variant.views.options import OptionDetail, Options, OptionValueDetail, OptionValues
from catalog_variant.views.stock import Adjustments, LowStock, Movements
from catalog_variant.views.variants import (
    VariantAvailability,
    VariantDetail,
    VariantMatrix,
    Variants,
    VariantSummaries,
)

__all__ = [
    "Adjustments",
    "LowStock",
    "Movements",
    "OptionDetail",
    "OptionValueDetail",
    "OptionValues",
    "Options",
    "VariantAvailability",
    "VariantDetail",
    "VariantMatrix",
    "VariantSummaries",
    "Variants",
]
