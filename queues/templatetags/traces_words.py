"""Numbers of a tenant's traffic, as its pages write them."""

from django import template

register = template.Library()


@register.filter
def signed(weight: float | None) -> str:
    """ "+0.60", "−1.80"; "0" for nothing either way."""
    if weight is None:
        return ""
    rounded = round(weight, 2)
    return "0" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{abs(rounded):.2f}"


@register.filter
def at_most(count: int, most: int) -> str:
    """ "1,204", or "more than 1,000" where it was counted no further."""
    return f"{count:,}" if count <= most else f"more than {most:,}"


@register.filter
def unlocalised(value: float) -> str:
    """A number for an attribute, whatever the reader's language writes."""
    return f"{value:.3f}"
