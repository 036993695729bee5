"""The HTTP face of orders, authorizations, captures and refunds."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import bodies, refusals
from majuu_sim.paypal.authorizations import Authorizations
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.captures import Captures
from majuu_sim.paypal.checking import check_texts, flag, optional_amount, read_order
from majuu_sim.paypal.front import Call, Done, Front
from majuu_sim.paypal.orders import Orders
from majuu_sim.paypal.records import Order
from majuu_sim.paypal.refunds import Refunds

ORDER_CREATE, ORDER_GET, ORDER_CAPTURE, ORDER_AUTHORIZE = (
    "order_create",
    "order_get",
    "order_capture",
    "order_authorize",
)
AUTHORIZATION_GET, AUTHORIZATION_CAPTURE = "authorization_get", "authorization_capture"
AUTHORIZATION_VOID, REAUTHORIZE = "authorization_void", "reauthorize"
CAPTURE_GET, CAPTURE_REFUND, REFUND_GET = "capture_get", "refund", "refund_get"
OPERATIONS = (
    ORDER_CREATE,
    ORDER_GET,
    ORDER_CAPTURE,
    ORDER_AUTHORIZE,
    AUTHORIZATION_GET,
    AUTHORIZATION_CAPTURE,
    AUTHORIZATION_VOID,
    REAUTHORIZE,
    CAPTURE_GET,
    CAPTURE_REFUND,
    REFUND_GET,
)


class CheckoutGateway:
    """Handlers of Orders v2 and Payments v2."""

    def __init__(
        self,
        *,
        front: Front,
        bank: Bank,
        orders: Orders,
        authorizations: Authorizations,
        captures: Captures,
        refunds: Refunds,
    ) -> None:
        """Answer for the desks."""
        self._front = front
        self._bank = bank
        self._orders = orders
        self._authorizations = authorizations
        self._captures = captures
        self._refunds = refunds

    def add_routes(self, app: web.Application) -> None:
        """Add PayPal's addresses."""
        orders, payments = "/v2/checkout/orders", "/v2/payments"
        posts = {
            orders: (ORDER_CREATE, self.create),
            f"{orders}/{{id}}/capture": (ORDER_CAPTURE, self.capture_order),
            f"{orders}/{{id}}/authorize": (ORDER_AUTHORIZE, self.authorize_order),
            f"{payments}/authorizations/{{id}}/capture": (AUTHORIZATION_CAPTURE, self.capture_authorization),
            f"{payments}/authorizations/{{id}}/void": (AUTHORIZATION_VOID, self.void),
            f"{payments}/authorizations/{{id}}/reauthorize": (REAUTHORIZE, self.reauthorize),
            f"{payments}/captures/{{id}}/refund": (CAPTURE_REFUND, self.refund),
        }
        gets = {
            f"{orders}/{{id}}": (ORDER_GET, self.see_order),
            f"{payments}/authorizations/{{id}}": (AUTHORIZATION_GET, self.see_authorization),
            f"{payments}/captures/{{id}}": (CAPTURE_GET, self.see_capture),
            f"{payments}/refunds/{{id}}": (REFUND_GET, self.see_refund),
        }
        for path, (operation, handler) in posts.items():
            app.router.add_post(path, self._front.product(operation, handler, reads_body=True))
        for path, (operation, handler) in gets.items():
            app.router.add_get(path, self._front.product(operation, handler), allow_head=False)

    # Orders.

    async def create(self, call: Call) -> web.StreamResponse:
        """A new order."""
        wanted = read_order(call.data, call.request_id)
        customer = str(wanted.unit.get("custom_id") or wanted.email) or None

        def act(script: FaultScript | None) -> Done:
            order = self._orders.create(call.account, wanted, script)

            async def answer_now() -> None:
                if order.due is not None:
                    self._bank.scheduler.cancel(order.due)
                await self._bank.office.run(self._orders.act(order))

            return Done(body=self._shown(order, call), before_reply=answer_now)

        return await self._front.perform(call, customer, act)

    async def capture_order(self, call: Call) -> web.StreamResponse:
        """Take the money of an approved order."""
        order = self._order(call)

        def act(script: FaultScript | None) -> Done:
            capture = self._orders.capture(order, script)
            plan = self._captures.plan(capture, order)
            return Done(body=self._finished(order, call), plan=plan, script=order.script)

        return await self._front.perform(call, order.custom_id or None, act)

    async def authorize_order(self, call: Call) -> web.StreamResponse:
        """Hold the money of an approved order."""
        order = self._order(call)

        def act(script: FaultScript | None) -> Done:
            authorization = self._orders.authorize(order, script)
            plan = self._authorizations.plan(authorization, order)
            return Done(body=self._finished(order, call), plan=plan, script=order.script)

        return await self._front.perform(call, order.custom_id or None, act)

    async def see_order(self, call: Call) -> web.StreamResponse:
        """How an order stands."""
        order = self._order(call)
        return await self._front.look(call, order.reads, lambda pending: dict(self._orders.seen(order, pending)))

    def _order(self, call: Call) -> Order:
        order = self._bank.order(call.account, call.id)
        if self._orders.is_over(order):
            raise refusals.not_found("id", order.id)
        return order

    def _shown(self, order: Order, call: Call) -> dict[str, Any]:
        if call.wants_all:
            return self._bank.order_body(order)
        return bodies.order_created(order, self._bank.origin.api, self._bank.origin.pages)

    def _finished(self, order: Order, call: Call) -> dict[str, Any]:
        """A capture's minimal answer still tells the payments."""
        body = self._bank.order_body(order)
        if call.wants_all:
            return body
        unit = body["purchase_units"][0]
        kept: dict[str, Any] = {
            name: body[name] for name in ("id", "status", "payment_source", "payer", "links") if name in body
        }
        small = {"reference_id": unit["reference_id"], "payments": unit["payments"]}
        return {**kept, "purchase_units": [small]}

    # Authorizations.

    async def see_authorization(self, call: Call) -> web.StreamResponse:
        """How an authorization stands."""
        one = self._bank.authorization(call.account, call.id)
        return await self._front.look(
            call, one.reads, lambda pending: _as(self._authorizations.body(one), "PENDING" if pending else None)
        )

    async def capture_authorization(self, call: Call) -> web.StreamResponse:
        """Take all or some of what is held."""
        one = self._bank.authorization(call.account, call.id)
        check_texts(call.data)
        amount, final = optional_amount(call.data), flag(call.data, "final_capture")
        order = self._bank.orders[one.order_id]

        def act(script: FaultScript | None) -> Done:
            capture = self._authorizations.capture(
                one,
                script,
                amount=amount,
                final=final,
                invoice_id=call.data.get("invoice_id") or "",
                note=call.data.get("note_to_payer") or "",
            )
            plan = self._captures.plan(capture, order)
            body = self._captures.body(capture)
            return Done(body=body if call.wants_all else _minimal(body), plan=plan, script=order.script)

        return await self._front.perform(call, one.custom_id or None, act)

    async def void(self, call: Call) -> web.StreamResponse:
        """Let go of what is held: 204, or 200 with ``Prefer: return=representation``."""
        one = self._bank.authorization(call.account, call.id)

        def act(script: FaultScript | None) -> Done:
            plan = self._authorizations.void(one)
            if call.wants_all:
                return Done(body=self._authorizations.body(one), status=200, plan=plan)
            return Done(body=None, status=204, replay_status=204, plan=plan)

        return await self._front.perform(call, one.custom_id or None, act)

    async def reauthorize(self, call: Call) -> web.StreamResponse:
        """Ask for the money anew."""
        one = self._bank.authorization(call.account, call.id)
        amount = optional_amount(call.data)

        def act(script: FaultScript | None) -> Done:
            made = self._authorizations.reauthorize(one, script, amount)
            body = self._authorizations.body(made)
            plan = self._authorizations.plan(made, self._bank.orders[one.order_id])
            return Done(body=body if call.wants_all else _minimal(body), plan=plan)

        return await self._front.perform(call, one.custom_id or None, act)

    # Captures and refunds.

    async def see_capture(self, call: Call) -> web.StreamResponse:
        """How a capture stands."""
        one = self._bank.capture(call.account, call.id)
        claim = one.script.read_outcome

        def see(pending: bool) -> dict[str, Any]:
            body = self._captures.body(one)
            claimed = None if claim is None else ("COMPLETED" if claim == "pay" else "DECLINED")
            return _as(body, "PENDING" if pending else claimed)

        return await self._front.look(call, one.reads, see)

    async def refund(self, call: Call) -> web.StreamResponse:
        """Send all or some of a capture back."""
        capture = self._bank.capture(call.account, call.id)
        check_texts(call.data)
        amount = optional_amount(call.data)

        def act(script: FaultScript | None) -> Done:
            refund = self._refunds.make(
                capture,
                script,
                amount=amount,
                custom_id=call.data.get("custom_id") or "",
                invoice_id=call.data.get("invoice_id") or "",
                note=call.data.get("note_to_payer") or "",
            )
            body = bodies.refund_body(refund, self._bank.origin.api)
            return Done(body=body if call.wants_all else _minimal(body), plan=self._refunds.plan(refund))

        return await self._front.perform(call, capture.custom_id or None, act)

    async def see_refund(self, call: Call) -> web.StreamResponse:
        """How a refund stands."""
        one = self._bank.refund(call.account, call.id)

        def see(pending: bool) -> dict[str, Any]:
            return _as(bodies.refund_body(one, self._bank.origin.api), "PENDING" if pending else None)

        return await self._front.look(call, one.reads, see)


def _minimal(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("id", "status", "status_details", "links") if name in body}


def _as(body: dict[str, Any], status: str | None) -> dict[str, Any]:
    return body if status is None else {**body, "status": status}
