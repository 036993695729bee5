"""The pages a customer sees: checkout, and the bank's 3-D Secure question. Test cards are chosen, never typed."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from majuu_sim.stripe.book import Book
from majuu_sim.stripe.cards import CARDS
from majuu_sim.stripe.checkout import PLACEHOLDER
from majuu_sim.stripe.currencies import shown
from majuu_sim.stripe.errors import Obj, StripeRefusal

if TYPE_CHECKING:
    from majuu_sim.stripe.simulator import StripeSimulator

STATIC = Path(__file__).parent / "static"
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# Shown first; the rest of the cards follow below.
FAMOUS = {
    "pm_card_visa": "4242 4242 4242 4242",
    "pm_card_mastercard": "5555 5555 5555 4444",
    "pm_card_threeDSecure2Required": "4000 0000 0000 3220",
    "pm_card_authenticationRequiredOnSetup": "4000 0025 0000 3155",
    "pm_card_chargeDeclined": "4000 0000 0000 0002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000 0000 0000 9995",
    "pm_card_createDispute": "4000 0000 0000 0259",
    "pm_card_refundFail": "4000 0000 0000 5126",
}


def add_routes(app: web.Application, simulator: StripeSimulator) -> None:
    """Add the pages."""
    desk = PageDesk(simulator)
    app.router.add_get("/pages/stripe.css", desk.style)
    app.router.add_get("/pages/checkout/{id}", desk.checkout)
    app.router.add_post("/pages/checkout/{id}", desk.act)
    app.router.add_get("/pages/authenticate/{id}", desk.question)
    app.router.add_post("/pages/authenticate/{id}", desk.reply)


class PageDesk:
    """The handlers."""

    def __init__(self, simulator: StripeSimulator) -> None:
        """Show the pages of ``simulator``."""
        self._sim = simulator

    async def style(self, request: web.Request) -> web.StreamResponse:
        """How the pages look."""
        return web.Response(body=(STATIC / "stripe.css").read_bytes(), content_type="text/css", headers=HEADERS)

    async def checkout(self, request: web.Request) -> web.StreamResponse:
        """The page of a session, or on to where its customer belongs."""
        book, session = self._find(request, "checkout.session")
        self._learn(request)
        return self._leave(session) or self._show(book, session, "")

    async def act(self, request: web.Request) -> web.StreamResponse:
        """The customer pays with a test card, or goes back."""
        book, session = self._find(request, "checkout.session")
        self._learn(request)
        form = await request.post()
        if (away := self._leave(session)) is not None:
            return away
        if form.get("action") == "cancel" and session["cancel_url"]:
            return _go(_filled(session["cancel_url"], session))
        card = str(form.get("card", ""))
        if card not in CARDS:
            return self._show(book, session, "Choose a card.", status=400)
        try:
            made = self._sim.checkout_desk.pay(book, session, card)
        except StripeRefusal as refusal:
            await self._sim.office.dispatch()
            return self._show(book, session, str(refusal), status=402)
        await self._sim.office.dispatch()
        if made["status"] == "requires_action":
            return _go(f"/pages/authenticate/{made['id']}")
        return self._leave(session) or self._show(book, session, "The payment is being worked on.")

    async def question(self, request: web.Request) -> web.StreamResponse:
        """The bank's question."""
        _, intent = self._find_intent(request)
        if intent["status"] != "requires_action":
            return _page("Nothing to answer", "<p>Your bank has no question about this card now.</p>")
        amount = shown(intent["amount"], intent["currency"]) if "amount" in intent else "Save the card"
        body = (STATIC / "authenticate.html").read_text()
        return _page("Your bank asks", Template(body).substitute(amount=escape(amount)))

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """The customer's answer to it."""
        book, intent = self._find_intent(request)
        self._learn(request)
        form = await request.post()
        action = intent["next_action"] or {}
        if intent["status"] != "requires_action":
            return _page("Nothing to answer", "<p>Your bank has no question about this card now.</p>", 409)
        approve = form.get("answer") == "approve"
        await self._sim.authenticate_here(intent["id"], approve)
        session = book.find(book.note(intent["id"]).session)
        if session is not None:
            failed = "The payment was not completed. Try another card."
            return self._leave(session) or self._show(book, session, "" if approve else failed)
        back = action.get("redirect_to_url", {}).get("return_url")
        if not back:
            return _page("Thank you", "<p>You can close this page.</p>")
        return _go(_with_result(back, intent, approve))

    def _show(self, book: Book, session: Obj, problem: str, status: int = 200) -> web.Response:
        paying = session["mode"] == "payment"
        items = book.note(session["id"]).request["items"]
        lines = "".join(
            f"<li><span>{escape(one['description'])} × {one['quantity']}</span>"
            f"<span>{shown(one['amount_total'], one['currency'])}</span></li>"
            for one in items
        )
        total = shown(session["amount_total"], session["currency"]) if paying else "Save a card"
        body = Template((STATIC / "checkout.html").read_text()).substitute(
            shop=escape(book.account.name),
            total=total,
            lines=f'<ul class="lines">{lines}</ul>' if lines else "",
            problem=f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else "",
            cards=_options(),
            action=f"Pay {total}" if paying else "Save card",
            cancel='<button name="action" value="cancel" class="plain" formnovalidate>Go back to the shop</button>'
            if session["cancel_url"]
            else "",
        )
        return _page(f"{book.account.name}: checkout", body, status)

    def _leave(self, session: Obj) -> web.Response | None:
        if session["status"] == "complete":
            return _go(_filled(session["success_url"], session))
        if session["status"] == "expired":
            return _page("Too late", "<p>This page has run out. Go back to the shop and start again.</p>", 410)
        return None

    def _learn(self, request: web.Request) -> None:
        self._sim.learn_address(f"{request.scheme}://{request.host}")

    def _find(self, request: web.Request, kind: str) -> tuple[Book, Obj]:
        try:
            return self._sim.find_here(request.match_info["id"], kind)
        except KeyError as error:
            raise web.HTTPNotFound(text="There is no such page.") from error

    def _find_intent(self, request: web.Request) -> tuple[Book, Obj]:
        kind = "setup_intent" if request.match_info["id"].startswith("seti_") else "payment_intent"
        return self._find(request, kind)


def _options() -> str:
    tokens = [*FAMOUS, *(token for token in CARDS if token not in FAMOUS)]
    return "".join(
        f'<option value="{token}">{escape(CARDS[token].label)} – '
        f"{escape(FAMOUS.get(token, f'•••• {CARDS[token].last4}'))}</option>"
        for token in tokens
    )


def _filled(address: str, session: Obj) -> str:
    return address.replace(PLACEHOLDER, session["id"])


def _with_result(address: str, intent: Obj, approved: bool) -> str:
    kind = intent["object"]
    result = urlencode(
        {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if approved and intent["status"] != "requires_payment_method" else "failed",
        }
    )
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query=f"{parts.query}&{result}" if parts.query else result))


def _page(title: str, body: str, status: int = 200) -> web.Response:
    text = Template((STATIC / "page.html").read_text()).substitute(title=escape(title), body=body)
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


def _go(address: str) -> web.Response:
    return web.Response(status=303, headers={**HEADERS, "Location": address})
