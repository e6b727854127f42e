"""Filters of the pages for developers."""

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def in_code(text: str) -> SafeString:
    """The text with what stands between `backticks` as code."""
    parts = enumerate(text.split("`"))
    return format_html_join("", "{}{}{}", (_marked(part, is_code=index % 2 == 1) for index, part in parts))


def _marked(part: str, *, is_code: bool) -> tuple[SafeString, str, SafeString]:
    return (
        (SafeString("<code>"), part, SafeString("</code>"))
        if is_code
        else (SafeString(""), part, SafeString(""))
    )
