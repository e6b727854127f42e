"""What is missing in the shop: a comparison, without input or output."""

from dataclasses import dataclass

from mercato.demo.models import (
    Banner,
    Brand,
    Catalogue,
    Category,
    Option,
    OptionValue,
    Picture,
    Product,
    Variant,
)
from mercato.demo.pictures import pictures_of
from mercato.demo.standing import Standing, StandingProduct, image_key
from mercato.demo.variants import variants_of


@dataclass(frozen=True, slots=True)
class ValuePlan:
    """A value that an option lacks."""

    option_id: str
    value: OptionValue


@dataclass(frozen=True, slots=True)
class StockPlan:
    """A delivery for a variant that is there and has none on hand."""

    variant_id: str
    variant: Variant


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """What a product lacks; without an `id`, itself. A new variant brings its own delivery."""

    product: Product
    id: str
    variants: tuple[Variant, ...]
    stock: tuple[StockPlan, ...]
    pictures: tuple[Picture, ...]

    @property
    def steps(self) -> int:
        deliveries = sum(variant.stock > 0 for variant in self.variants)
        return (not self.id) + len(self.variants) + deliveries + len(self.stock) + len(self.pictures)


@dataclass(frozen=True, slots=True)
class BannerPlan:
    """A banner to be made, or one that is there (`id`) and lacks its image."""

    banner: Banner
    id: str

    @property
    def steps(self) -> int:
        return (not self.id) + bool(self.banner.scene)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to be posted; each step is one request."""

    categories: tuple[Category, ...]
    brands: tuple[Brand, ...]
    options: tuple[Option, ...]
    values: tuple[ValuePlan, ...]
    products: tuple[ProductPlan, ...]
    banners: tuple[BannerPlan, ...]

    @property
    def steps(self) -> int:
        """How many requests the plan is."""
        single = (self.categories, self.brands, self.options, self.values)
        products = sum(each.steps for each in self.products)
        return sum(map(len, single)) + products + sum(each.steps for each in self.banners)


def plan(catalogue: Catalogue, standing: Standing) -> Plan:
    """What has to be posted so that all of the catalogue stands."""
    products = [_product_plan(product, standing.products.get(product.slug)) for product in catalogue.products]
    banners = [_banner_plan(banner, standing) for banner in catalogue.banners]
    return Plan(
        categories=tuple(each for each in catalogue.categories if each.path not in standing.categories),
        brands=tuple(each for each in catalogue.brands if each.slug not in standing.brands),
        options=tuple(each for each in catalogue.options if each.code not in standing.options),
        values=tuple(_missing_values(catalogue, standing)),
        products=tuple(each for each in products if each.steps),
        banners=tuple(each for each in banners if each is not None),
    )


def _missing_values(catalogue: Catalogue, standing: Standing) -> list[ValuePlan]:
    return [
        ValuePlan(found.id, value)
        for option in catalogue.options
        if (found := standing.options.get(option.code))
        for value in option.values
        if value.code not in found.values
    ]


def _product_plan(product: Product, found: StandingProduct | None) -> ProductPlan:
    there = found or StandingProduct(id="")
    wanted = variants_of(product)
    return ProductPlan(
        product=product,
        id=there.id,
        variants=tuple(each for each in wanted if each.sku not in there.variants),
        stock=tuple(
            StockPlan(there.variants[each.sku].id, each)
            for each in wanted
            # Sold out since its delivery, it is delivered under the same key again, which changes nothing.
            if each.stock and each.sku in there.variants and not there.variants[each.sku].on_hand
        ),
        pictures=tuple(
            each for each in pictures_of(product) if image_key(each.alt, each.options) not in there.pictures
        ),
    )


def _banner_plan(banner: Banner, standing: Standing) -> BannerPlan | None:
    found = standing.banners.get((banner.placement, banner.title))
    if found is None:
        return BannerPlan(banner, id="")
    return BannerPlan(banner, found.id) if banner.scene and not found.has_image else None
