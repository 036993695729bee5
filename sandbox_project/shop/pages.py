"""The shop's pages. Everything that varies is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from sandbox_project.shop.catalogue import PRODUCTS, Product, shown_amount
from sandbox_project.shop.files import read_file

_STATES = {
    "new": ("Not paid yet", "quiet"),
    "waiting": ("Waiting for the PIN", "busy"),
    "paid": ("Paid", "good"),
    "failed": ("Payment failed", "bad"),
    "canceled": ("Cancelled", "quiet"),
}


def page(title: str, content: str, *, majuu_url: str) -> str:
    """A whole page."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · Duka la Mfano</title>
<link rel="stylesheet" href="/shop.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<script src="/shop.js" defer></script>
</head>
<body>
<header class="top">
<a class="name" href="/"><img src="/icon.svg" alt="" width="32" height="32"> Duka la Mfano</a>
<span class="tag">demo shop</span>
</header>
<main>
{content}
</main>
<footer>
<p>A pretend shop: nothing is sold, and no money moves. It knows Majuu by its API and its webhooks only.
<a href="{escape(majuu_url)}">Back to Majuu</a></p>
</footer>
</body>
</html>"""


def front(*, order_id: str, live: str) -> str:
    """The shelf, and what is happening."""
    shelf = "\n".join(_product(product, order_id) for product in PRODUCTS.values())
    return f"""<section class="welcome">
<h1>Karibu!</h1>
<p>Choose something and pay by M-Pesa. The phone is simulated: any Safaricom number will do,
and it enters its PIN by itself.</p>
</section>
<section class="shelf" aria-label="Products">
{shelf}
</section>
{_live_box(live)}"""


def _product(product: Product, order_id: str) -> str:
    return f"""<article class="product">
<div class="picture" aria-hidden="true">{read_file(product.code + ".svg")}</div>
<div class="words">
<h2>{escape(product.name)}</h2>
<p>{escape(product.about)}</p>
<p class="price">{escape(product.shown_price)}</p>
<form method="post" action="/buy">
<input type="hidden" name="order" value="{escape(order_id)}-{escape(product.code)}">
<input type="hidden" name="product" value="{escape(product.code)}">
<button>Buy<span class="unseen"> {escape(product.name)}</span></button>
</form>
</div>
</article>"""


def thanks(order: dict[str, Any], live: str) -> str:
    """Where customers come back to. Only the webhook says whether they paid."""
    product = PRODUCTS.get(order["product"])
    name = escape(product.name if product else order["product"])
    return f"""<section class="welcome">
<h1>Asante!</h1>
<p>Your order of {name} is below. It is ready to go as soon as Majuu has told the shop that it is paid.</p>
<p><a class="button quiet" href="/">Back to the shop</a></p>
</section>
{_live_box(live)}"""


def trouble(message: str) -> str:
    """Something did not work."""
    return f"""<section class="welcome">
<h1>Pole!</h1>
<p>The payment could not be started. Please try again in a moment.</p>
<p class="why">{escape(message)}</p>
<p><a class="button quiet" href="/">Back to the shop</a></p>
</section>"""


def _live_box(live: str) -> str:
    return f"""<div id="live" data-from="/live" aria-live="polite">
{live}
</div>
<noscript><p class="hint">Reload the page to see what has changed.</p></noscript>"""


def live(orders: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]], refused: Sequence[dict[str, Any]]) -> str:
    """Orders and events, as they are now."""
    rows = "\n".join(_order(order) for order in orders) or '<p class="hint">Nothing yet. Buy something.</p>'
    heard = "\n".join(_event(event) for event in events) or "<li class='hint'>Nothing yet.</li>"
    return f"""<div class="columns">
<section aria-labelledby="orders">
<h2 id="orders">Orders</h2>
{rows}
</section>
<section aria-labelledby="events">
<h2 id="events">What Majuu said</h2>
<p class="hint">Every message is checked with the public <em>standardwebhooks</em> library before it counts.</p>
<ul class="events">
{heard}
</ul>
{_refusals(refused)}
</section>
</div>"""


def _order(order: dict[str, Any]) -> str:
    label, tone = _STATES.get(order["state"], (order["state"], "quiet"))
    product = PRODUCTS.get(order["product"])
    name = product.name if product else order["product"]
    receipt = f"<p>Receipt <code>{escape(order['receipt'])}</code></p>" if order["receipt"] else ""
    reason = f"<p>{escape(order['reason'])}</p>" if order["reason"] and order["state"] == "failed" else ""
    link = ""
    if order["payment_url"] and order["state"] in ("new", "waiting", "failed"):
        link = f'<p><a href="{escape(order["payment_url"])}">Payment page</a></p>'
    return f"""<article class="order">
<p class="line"><strong>{escape(name)}</strong> <span class="state {tone}">{escape(label)}</span></p>
<p class="line"><span>{escape(shown_amount(order["amount"]))}</span>
<span class="hint">{_clock(order["ordered_at"])}</span></p>
{receipt}{reason}{link}
<p class="hint"><code>{escape(order["payment_intent"] or order["id"])}</code></p>
</article>"""


def _event(event: dict[str, Any]) -> str:
    again = f' <span class="hint">came {event["copies"]} times, counted once</span>' if event["copies"] > 1 else ""
    return f"""<li><span class="tick" aria-hidden="true">✓</span>
<div><strong>{escape(event["type"])}</strong> <span class="hint">{_clock(event["received_at"])}</span>{again}
<br><code>{escape(event["id"])}</code></div></li>"""


def _refusals(refused: Sequence[dict[str, Any]]) -> str:
    if not refused:
        return ""
    lines = "".join(f"<li>{escape(row['reason'])} ({row['times']})</li>" for row in refused)
    return f'<p class="hint">Refused, because they proved nothing:</p><ul class="hint">{lines}</ul>'


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%H:%M:%S")
