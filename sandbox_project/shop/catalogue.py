"""What the shop sells. Prices are decimal strings, as the API takes them."""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY = "KES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing on the shelf."""

    code: str
    name: str
    about: str
    price: str

    @property
    def shown_price(self) -> str:
        """``KES 1,500``"""
        return shown_amount(self.price)


PRODUCTS: dict[str, Product] = {
    product.code: product
    for product in (
        Product(code="kahawa", name="Kahawa", about="Coffee from the slopes of Mount Kenya, 250 g", price="650.00"),
        Product(code="kikoi", name="Kikoi", about="Hand-woven cotton cloth from Lamu", price="1500.00"),
        Product(code="kiondo", name="Kiondo", about="Sisal basket with leather handles", price="2800.00"),
    )
}


def shown_amount(amount: str) -> str:
    """An amount for people: thousands in groups, and no cents when there are none."""
    whole, _, cents = amount.partition(".")
    return f"{CURRENCY} {int(whole):,}" + (f".{cents}" if cents.strip("0") else "")
