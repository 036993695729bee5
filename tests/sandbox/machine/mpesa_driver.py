"""M-Pesa over real HTTP: the simulated Daraja, with all its faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from majuu_core.common import ids
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import charge_callback_url, read_callback_path
from majuu_core.payments.models import Charge
from majuu_mpesa import majuu_hooks
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.faults import PRESETS, FaultScript, Reply
from majuu_sim.transport import CollectingTransport
from tests.sandbox.machine.drivers import Execution, Letter

OUTCOMES = ("pay", "cancel", "insufficient", "wrong_pin", "timeout", "expired", "system_busy", "manual")
CUSTOMERS = ("254712345678", "254722345678", "254110345678")
INVENTED = "ws_CO_31122025235959999700000000"
_TROUBLES = (
    "truth",
    "token",
    "stk_query:server_error",
    "stk_query:spike_arrest",
    "stk_query:accepted_timeout",
    "oauth:html",
)


class MpesaDriver:
    """Daraja in this process. Callbacks are kept until the machine delivers them."""

    code = "mpesa"
    payment_method = "mpesa_stk"
    currency = "KES"
    plugin: object = majuu_hooks
    forgeries: tuple[str, ...] = ("success", "wrong_amount", "failure", "foreign_reference", "other_charge", "nonsense")

    def open(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._denied: set[str] = set()
        self._post = CollectingTransport()
        config = DarajaConfig(pending_style="mixed", event_shape="mixed", max_clock_skew=5)
        self._daraja = DarajaSimulator(clock=ExternalClock(now), transport=self._post, config=config).serve()

    def close(self) -> None:
        self._daraja.close()

    def furnish(self, account: ProviderAccount) -> None:
        """Every charge has an address of its own."""

    def reset(self, seed: int) -> None:
        self._daraja.reset(seed=seed)
        self._denied.clear()
        self._post.take()

    def credentials(self) -> dict[str, Any]:
        return {
            "consumer_key": "majuu-sim-key",
            "consumer_secret": "majuu-sim-secret",
            "passkey": SANDBOX_PASSKEY,
            "shortcode": SANDBOX_SHORTCODE,
        }

    def options(self) -> dict[str, Any]:
        return {"base_url": self._daraja.base_url, "callback_addresses": "*"}

    def amounts(self) -> SearchStrategy[int]:
        return st.sampled_from([1, 100, 250, 1500])

    def customers(self) -> SearchStrategy[str]:
        return st.sampled_from(CUSTOMERS)

    def faults(self) -> SearchStrategy[Any]:
        composed = st.builds(
            FaultScript,
            outcome=st.sampled_from(OUTCOMES),
            reply=st.sampled_from([Reply.NORMAL, *(reply for reply in Reply if reply.commits)]),
            event_lost=st.booleans(),
            event_delay=st.sampled_from([0, 90, 4000]),
            event_before_reply=st.booleans(),
            event_shape=st.sampled_from([None, "no_metadata", "masked_phone"]),
            duplicates=st.integers(0, 2),
            stale_outcome=st.sampled_from([None, "timeout"]),
            read_pending=st.integers(0, 3),
            read_unavailable=st.integers(0, 2),
        )
        nothing_heard = FaultScript(reply=Reply.ACCEPTED_TIMEOUT, event_lost=True)
        worst = st.sampled_from(["timeout_after_commit", "accepted_5xx", "disagree_read", nothing_heard])
        return st.one_of(st.sampled_from(["pay", *sorted(PRESETS)]), st.sampled_from(OUTCOMES), worst, composed)

    def troubles(self) -> SearchStrategy[Any]:
        return st.sampled_from(_TROUBLES)

    def plan(self, customer: str, fault: Any) -> None:
        self._daraja.set_subscriber(customer, script=fault)

    def cause(self, trouble: Any) -> None:
        operation, _, reply = trouble.partition(":")
        if operation == "truth":
            self._confess()
        elif operation == "token":
            self._daraja.expire_tokens()
        else:
            script = FaultScript(reply=Reply.ACCEPTED_HTML if reply == "html" else Reply(reply))
            self._daraja.script(script, operation=operation)

    def _confess(self) -> None:
        """Queries that denied a payment tell the truth from now on."""
        for prompt in self._daraja.engine.prompts.values():
            if prompt.script.read_outcome is not None:
                self._denied.add(prompt.checkout_request_id)
                prompt.script = replace(prompt.script, read_outcome=None)

    def method_data(self, customer: str) -> dict[str, str]:
        return {"phone": customer}

    def run_due(self) -> None:
        if (due := self.next_due()) is not None and due <= self._now():
            self._daraja.run_due()

    def next_due(self) -> datetime | None:
        planned = self._daraja.scheduler.pending()
        return planned[0].at if planned else None

    def collect(self) -> list[Letter]:
        return [Letter(urlsplit(url).path, body) for url, body in self._post.take()]

    def stamp(self, letter: Letter) -> Letter:
        return letter

    def forge(self, charge: Charge, kind: str) -> Letter | None:
        """``success`` and ``failure`` name the right request, if it is known; ``other_charge`` another one's.

        What nobody can see through, and so is not forged here: at the secret address of one charge, the id of another
        one's payment that we have not heard of yet. Only M-Pesa knows both.
        """
        reference: str | None = charge.provider_reference or INVENTED
        if kind == "foreign_reference":
            reference = INVENTED
        if kind == "other_charge":
            others = Charge.objects.exclude(pk=charge.pk).exclude(provider_reference=None).order_by("pk")
            reference = others.values_list("provider_reference", flat=True).first()
        if reference is None:
            return None
        body: Any = {"MerchantRequestID": "1-2-3", "CheckoutRequestID": reference, "ResultCode": 0, "ResultDesc": "x"}
        if kind == "failure":
            body |= {"ResultCode": 1032, "ResultDesc": "Request cancelled by user"}
        else:
            amount = 1_000_000 if kind == "wrong_amount" else int(charge.amount.amount)
            items = [{"Name": "Amount", "Value": amount}, {"Name": "MpesaReceiptNumber", "Value": "FORGED0000"}]
            body |= {"CallbackMetadata": {"Item": items}}
        sent = b'[{"Body":' if kind == "nonsense" else json.dumps({"Body": {"stkCallback": body}}).encode()
        return Letter(urlsplit(charge_callback_url(charge.pk)).path, sent, forged=True)

    def executions(self) -> list[Execution]:
        return [
            Execution(
                charge=_charge_of(prompt.request.callback_url),
                reference=prompt.checkout_request_id,
                is_open=prompt.active,
                taken=prompt.request.amount if prompt.receipt else 0,
                lies=prompt.script.read_outcome is not None or prompt.checkout_request_id in self._denied,
            )
            for prompt in self._daraja.prompts()
        ]


def _charge_of(url: str) -> str:
    _, _, subject, secret = urlsplit(url).path.split("/")
    found = read_callback_path(subject, secret)
    assert found is not None
    return ids.encode_id(Charge.id_prefix, found.id)
