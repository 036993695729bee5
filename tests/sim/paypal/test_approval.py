from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sim.paypal.client import Shop, order_body


class Forms(HTMLParser):
    """The forms of a page: where they go, and their choices."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.choices: list[str] = []
        self.buttons: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "form":
            self.actions.append(named["action"] or "")
        if tag == "input":
            self.choices.append(named["value"] or "")
        if tag == "button":
            self.buttons.append(named["id"] or "")


def page_of(shop: Shop, order: str) -> str:
    (link,) = [one for one in shop.get(f"/v2/checkout/orders/{order}")["links"] if one["rel"] == "payer-action"]
    answer = shop.http.get(link["href"])
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_a_customer_approves_and_comes_back_to_the_shop(shop: Shop) -> None:
    order = shop.order(value="12.50")
    text = page_of(shop, order)
    forms = Forms(text)
    assert "12.50 USD" in text
    assert forms.buttons == ["approve", "cancel"]
    answer = shop.http.post(forms.actions[0], data={"instrument": "pay"})
    assert answer.status_code == 303
    back = urlsplit(answer.headers["Location"])
    payer = shop.sim.orders()[0].payer.payer_id
    assert (back.netloc, back.path) == ("shop.example", "/back")
    assert parse_qsl(back.query) == [("cart", "7"), ("token", order), ("PayerID", payer)]
    assert shop.capture_order(order).status_code == 201
    assert "Nothing to approve" in shop.http.get(f"/checkoutnow?token={order}").text


def test_a_customer_goes_back_without_approving(shop: Shop) -> None:
    order = shop.order()
    answer = shop.http.post(Forms(page_of(shop, order)).actions[1])
    assert answer.headers["Location"] == f"https://shop.example/cart?token={order}"
    assert shop.get(f"/v2/checkout/orders/{order}")["status"] == "PAYER_ACTION_REQUIRED"
    assert shop.heard() == []


def test_every_choice_of_the_page_does_something_else(shop: Shop) -> None:
    ends = {}
    for choice in Forms(page_of(shop, shop.order())).choices:
        order = shop.order()
        shop.http.post(f"/checkoutnow/{order}/approve", data={"instrument": choice})
        answer = shop.capture_order(order)
        captures = shop.sim.bank.orders[order].capture_ids
        ends[choice] = answer.status_code, [shop.sim.bank.captures[one].status for one in captures]
    assert ends == {
        "pay": (201, ["COMPLETED"]),
        "declined": (422, []),
        "pending": (201, ["PENDING"]),
        "pending_denied": (201, ["PENDING"]),
        "review": (201, ["PENDING"]),
        "capture_declined": (201, ["DECLINED"]),
    }


@pytest.mark.parametrize(("path", "status"), [("/checkoutnow?token=NO", 404), ("/checkoutnow", 404)])
def test_an_order_that_is_not_there(shop: Shop, path: str, status: int) -> None:
    assert shop.http.get(path).status_code == status


def test_what_a_shop_writes_is_no_markup(shop: Shop) -> None:
    body = order_body()
    body["purchase_units"][0]["description"] = "<script>alert(1)</script>"
    order = shop.create(body).json()["id"]
    text = page_of(shop, order)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_without_addresses_the_page_says_that_it_is_done(shop: Shop) -> None:
    order = shop.create({"intent": "CAPTURE", "purchase_units": order_body()["purchase_units"]}).json()["id"]
    assert "You can close this page" in shop.http.post(f"/checkoutnow/{order}/approve").text
    again = shop.http.post(f"/checkoutnow/{order}/approve")
    assert (again.status_code, len(shop.heard())) == (409, 1)


def test_the_style_is_served(shop: Shop) -> None:
    style = shop.http.get("/checkoutnow/approve.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css")
