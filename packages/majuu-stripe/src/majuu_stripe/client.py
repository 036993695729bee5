"""Talks to one Stripe account through the official SDK, and gives back plain values.

The SDK is unpatched. It is imported when the first request is made, because that costs a good part of a second. It
never retries: core decides what may be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from majuu_core.providers import OutcomeUnknown
from majuu_core.providers.http import ProviderHttp
from majuu_stripe.errors import translate
from majuu_stripe.fields import Obj, items, plain, text

if TYPE_CHECKING:
    import stripe

PAGE = 100
_MOST_PAGES = 10_000  # a list that does not end is a fault at the other side


class StripeApi:
    """One account at Stripe. Keeps nothing but what it was given.

    ``send`` takes what is to be called: ``send(lambda v1: v1.refunds.create(params, options))``. All requests raise
    NotSent, OutcomeUnknown, InvalidCredentials, RateLimited and, with all that Stripe said, Refused or CardDeclined.
    """

    def __init__(self, *, http: ProviderHttp, secret_key: str, base_addresses: Mapping[str, str]) -> None:
        self._http = http
        self._secret_key = secret_key
        self._base_addresses = dict(base_addresses)
        self._client: stripe.StripeClient | None = None

    def __repr__(self) -> str:
        return f"StripeApi({self._base_addresses['api']!r})"

    def send(self, call: Callable[[Any], Any]) -> Obj:
        """Make one request and return its object as plain values."""
        import stripe

        try:
            answer = call(self._sdk().v1)
        except stripe.StripeError as problem:
            # The SDK's error holds the body of the answer; whoever logs ours must not log that.
            raise translate(problem) from None
        found = plain(answer.to_dict()) if hasattr(answer, "to_dict") else None
        if not isinstance(found, dict):
            raise OutcomeUnknown("Stripe's answer holds no object")
        return found

    def pages(
        self, call: Callable[[Any, dict[str, Any]], Any], params: Mapping[str, Any], *, most: int | None = None
    ) -> Iterator[Obj]:
        """Every object of a list, page by page; of the first ``most`` pages only where a search must end somewhere."""
        wanted: dict[str, Any] = {"limit": PAGE, **params}
        for _ in range(most or _MOST_PAGES):
            page = self.send(lambda v1, wanted=wanted: call(v1, wanted))  # type: ignore[misc]
            found = list(items(page))
            yield from found
            last = text(found[-1], "id") if found else ""
            if page.get("has_more") is not True or not last:
                return
            wanted = {**wanted, "starting_after": last}
        if most is None:
            raise OutcomeUnknown("Stripe's list does not end")

    def _sdk(self) -> stripe.StripeClient:
        if self._client is None:
            import stripe

            from majuu_stripe.transport import ProviderTransport

            # Otherwise the SDK keeps an id of this machine in the home directory, and sends it with every request.
            stripe.enable_telemetry = False
            addresses: Any = self._base_addresses
            self._client = stripe.StripeClient(
                self._secret_key,
                base_addresses=addresses,
                max_network_retries=0,
                http_client=ProviderTransport(self._http),
            )
        return self._client


def keyed(key: str, suffix: str = "") -> dict[str, str]:
    """Request options with our idempotency key; a suffix where one operation makes several requests."""
    return {"idempotency_key": (f"{key}-{suffix}" if suffix else key)[:255]}
