"""Where the steps of the demo look: over HTTP at Majuu, the shop and the simulator, and into Majuu's database."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from majuu_sim.stripe.config import SECRET_KEY
from sandbox_project.play.plan import Plan

Found = TypeVar("Found")
_LOOK_EVERY = 0.1


class NotSeen(Exception):
    """A step did not happen, or not as it should. The text says what was seen instead."""


@dataclass(slots=True)
class Scene:
    """The processes to look at, and what the steps so far have found out."""

    majuu: httpx.Client
    shop: httpx.Client
    simulator: httpx.Client
    stripe: httpx.Client  # with the account's key, as its API wants it
    paypal: httpx.Client
    accounts: Mapping[str, str]  # public id of the shop's account, by provider
    phone: str
    msisdn: str
    shortcode: str
    check_processes: Callable[[], None] = lambda: None
    before: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  # held and booked, by provider
    expected: dict[str, Decimal] = field(default_factory=dict)  # of money that no intent in ``taken`` tells of
    taken: list[tuple[str, str]] = field(default_factory=list)  # provider and intent
    order: dict[str, Any] = field(default_factory=dict)
    intent: dict[str, Any] = field(default_factory=dict)
    charge: dict[str, Any] = field(default_factory=dict)
    receipt: str = ""
    card: str = ""  # the charge that goes back in part
    wallet: str = ""  # likewise

    @property
    def intent_url(self) -> str:
        """The payment intent in the API."""
        return f"/api/v1/payment-intents/{self.intent['id']}"

    def watch(self, look: Callable[[], Found | None], *, seconds: float, missing: Callable[[], str]) -> Found:
        """Look again and again until something is there. Raises NotSeen, with ``missing()``, when it never is."""
        ends = time.monotonic() + seconds
        while True:
            self.check_processes()
            found = look()
            if found is not None:
                return found
            if time.monotonic() >= ends:
                raise NotSeen(f"not within {seconds:g} s: {missing()}")
            time.sleep(_LOOK_EVERY)


def open_scene(plan: Plan, secrets: dict[str, Any], *, check_processes: Callable[[], None]) -> Scene:
    """Clients for everything; the API's knows the demo key."""
    key = {"Authorization": f"Bearer {secrets['api_key']}"}

    def client(url: str, headers: dict[str, str] | None = None) -> httpx.Client:
        return httpx.Client(base_url=url, headers=headers, timeout=20, trust_env=False)

    return Scene(
        majuu=client(plan.url, key),
        shop=client(plan.shop_url),
        simulator=client(plan.simulator_url),
        stripe=client(plan.stripe_url, {"Authorization": f"Bearer {SECRET_KEY}"}),
        paypal=client(plan.paypal_url),
        accounts=secrets["provider_accounts"],
        phone=plan.phone,
        msisdn=plan.msisdn,
        shortcode=secrets["shortcode"],
        check_processes=check_processes,
    )


def answers(client: httpx.Client, path: str) -> bool | None:
    """True when the address answers with 200, None when it does not, not even with an error."""
    try:
        return client.get(path).status_code == httpx.codes.OK or None
    except httpx.TransportError:
        return None


def read(client: httpx.Client, path: str) -> Any:
    """The JSON at an address. Raises NotSeen when it is not to be had."""
    try:
        answer = client.get(path)
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as problem:
        raise NotSeen(f"{client.base_url}{path.lstrip('/')}: {problem}") from None
