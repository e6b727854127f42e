"""Filters of the shop's templates."""

from django import template

from gateway.storefront.money import money

register = template.Library()
register.filter("money", money)
