"""A store, its customers, a provider and a post office between them. The machine only decides what happens next."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

from django.core.cache import cache
from django.test import Client
from moneyed import Money

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.common.randomness import seeded_ids
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.intents import (
    IntentDetails,
    cancel_payment_intent,
    create_payment_intent,
    expire_due_intents,
)
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.returns import hear_of_return
from majuu_core.providers import PaymentProvider
from majuu_core.providers.installed import installed_providers
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.webhooks import inbound_processing
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from tests.core.bad_luck.deaths import Point, before_the_answer_is_stored, killed_at
from tests.sandbox.machine.drivers import Letter, ProviderDriver
from tests.sandbox.machine.rewinding import rewinding

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RETURN_URL = "http://127.0.0.1/thanks"
# The last question is asked 25 hours after a charge, the last look at a message about 24 hours after its arrival.
LONGEST = timedelta(hours=40)
HOUR = 3600


class Stage:
    """What all examples share: the other side, a store with an account there, and the way back to before them."""

    def __init__(self, driver: ProviderDriver) -> None:
        self.driver = driver
        self.clock = VirtualClock(START)
        self.examples = 0
        self.seen: Counter[str] = Counter()
        driver.open(lambda: self.clock.now())

    @contextmanager
    def furnished(self) -> Iterator[Stage]:
        """With the rows every example starts with; without them again at the end."""
        credentials = self.driver.credentials()
        account = make_provider_account(store=make_store(), provider=self.driver.code, credentials=credentials)
        self.driver.furnish(account)
        with rewinding() as self.rewind, _seldom(installed_providers().get(self.driver.code)):
            yield self


class World:
    """One example's world. Time stands still unless ``advance`` is called."""

    def __init__(self, stage: Stage, *, seed: int, late_success: str) -> None:
        self.driver = stage.driver
        self._stage = stage
        stage.examples += 1
        self.number = stage.examples
        self._open = ExitStack()
        stage.rewind.start()
        self.clock = stage.clock = VirtualClock(START)
        self._open.enter_context(use_clock(self.clock))
        self._open.enter_context(seeded_ids(seed))
        cache.clear()
        self.driver.reset(seed)
        self._client = Client(raise_request_exception=False)
        shops = Store.objects.filter(merchant__is_system=False)
        shops.update(late_success=late_success)
        self.store = shops.get()
        self.account = ProviderAccount.objects.get()
        self.intents: list[uuid.UUID] = []
        self.requests: list[tuple[uuid.UUID, PaymentChoice, str]] = []
        self.post: list[Letter] = []  # on its way to us
        self.read: list[Letter] = []  # what reached us
        self.received = 0  # requests to addresses of ours that we answered for

    def note(self, seen: Iterable[str]) -> None:
        """Count what this example was about."""
        self._stage.seen.update(seen)

    def close(self) -> None:
        self._open.close()
        self._stage.rewind.stop()

    def _money(self, amount: int) -> Money:
        return Money(amount, self.driver.currency)

    # What the shop and its customers do.

    def create_intent(self, amount: int, lifetime: timedelta) -> None:
        wanted = IntentDetails(amount=self._money(amount), lifetime=lifetime)
        intent = create_payment_intent(store=self.store, livemode=False, details=wanted)
        self.intents.append(intent.pk)

    def confirm(
        self, intent_id: uuid.UUID, customer: str, *, part: int | None, death: Point | None, overtaken: bool
    ) -> None:
        """The customer starts to pay. ``overtaken``: callbacks are heard before our own answer is stored."""
        amount = None if part is None else self._money(part)
        data = self.driver.method_data(customer)
        choice = PaymentChoice(
            payment_method=self.driver.payment_method,
            payment_method_data=data,
            amount=amount,
            return_url=RETURN_URL,
        )
        request = (intent_id, choice, f"request-{len(self.requests)}")
        self.requests.append(request)
        with ExitStack() as around:
            around.enter_context(killed_at(death))
            if overtaken:
                around.enter_context(before_the_answer_is_stored(self.hear_everything))
            self._send(request)

    def send_again(self, number: int) -> None:
        """The shop repeats a request it got no answer to: the same key, the same body."""
        self._send(self.requests[number])

    def _send(self, request: tuple[uuid.UUID, PaymentChoice, str]) -> None:
        intent_id, choice, key = request
        intent = PaymentIntent.objects.select_related("store").get(pk=intent_id)
        started = Charge.objects.filter(request_key=key).first()
        try:
            _, charge = confirm_payment_intent(intent=intent, choice=choice, request_key=key)
        except (Conflict, Invalid):
            assert started is None, "a repeated request was refused, though its charge exists"
        else:
            assert started is None or started.pk == charge.pk

    def cancel(self, intent_id: uuid.UUID) -> None:
        try:
            cancel_payment_intent(intent=PaymentIntent.objects.get(pk=intent_id))
        except Conflict:
            return

    def come_back(self, intent_id: uuid.UUID, *, gave_up: bool) -> None:
        """The customer comes back from the provider's page to ours."""
        before = self._taken()
        hear_of_return(PaymentIntent.objects.get(pk=intent_id), gave_up=gave_up)
        if self._taken() > before:
            self.note({"taken when the customer came back"})

    def _taken(self) -> int:
        return sum(execution.taken for execution in self.driver.executions())

    # What the worker does.

    def ask(self, death: Point | None = None) -> None:
        with killed_at(death):
            run_due_follow_ups()

    def work(self, death: Point | None = None) -> None:
        with killed_at(death):
            process_waiting()

    def expire(self) -> None:
        expire_due_intents()

    # What the post does.

    def collect(self) -> None:
        self.post += self.driver.collect()

    def forge(self, charge_id: uuid.UUID, kind: str) -> None:
        letter = self.driver.forge(Charge.objects.get(pk=charge_id), kind)
        if letter is not None:
            self.post.append(letter)

    def deliver(self, letter: Letter, *, as_read: bool = False) -> None:
        """``as_read``: somebody who has seen it sends the very same bytes again, perhaps much later."""
        sent = letter if as_read or letter.forged else self.driver.stamp(letter)
        self.received += 1
        self.read.append(sent)
        status = self._deliver(sent)
        assert status == 200 or (status == 400 and (as_read or letter.forged)), f"a callback was answered with {status}"

    def deliver_dying(self, letter: Letter, death: Point) -> None:
        """The process dies while it takes the letter. What was not kept was not answered either, and is lost."""
        before = InboundWebhook.objects.count()
        with killed_at(death):
            self._deliver(letter if letter.forged else self.driver.stamp(letter))
        self.received += InboundWebhook.objects.count() - before

    def deliver_astray(self, letter: Letter) -> None:
        """To an address that is none of ours: the secret is wrong."""
        wrong = letter.path[:-1] + ("0" if letter.path[-1] != "0" else "1")
        assert self._deliver(replace(letter, path=wrong)) == 404

    def hear_everything(self) -> None:
        """All callbacks arrive and are worked on at once."""
        self.driver.run_due()
        self.collect()
        while self.post:
            self.deliver(self.post.pop(0))
        self.work()

    def _deliver(self, letter: Letter) -> int:
        response = self._client.generic(
            "POST", letter.path, letter.body, content_type="application/json", headers=dict(letter.headers)
        )
        return response.status_code

    # Time.

    def advance(self, step: timedelta) -> None:
        self.clock.advance(step)
        self.driver.run_due()
        self.collect()

    def drain(self) -> None:
        """The provider is up, all that is on its way arrives, and nobody does anything until nothing is due."""
        end, rounds = self.clock.now() + LONGEST, 0
        while self.clock.now() < end:
            rounds += 1
            assert rounds < 2000, "something is due for ever"
            self.driver.run_due()
            self.collect()
            for letter in self.post:
                self.deliver(letter)
            self.post.clear()
            worked, asked, planned = _next_work(), _next_question(), self.driver.next_due()
            times = [at for at in (worked, asked, planned) if at is not None]
            if not times:
                break
            if min(times) > self.clock.now():
                self.clock.advance(min(times) - self.clock.now())
            elif worked is not None and worked <= self.clock.now():
                self.work()
            elif asked is not None and asked <= self.clock.now():
                self.ask()
        self.expire()


def _next_question() -> datetime | None:
    waiting = Charge.objects.filter(follow_up_at__isnull=False).order_by("follow_up_at")
    return waiting.values_list("follow_up_at", flat=True).first()


def _next_work() -> datetime | None:
    waiting = InboundWebhook.objects.filter(state="received", next_attempt_at__isnull=False)
    return waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def _seldom(provider: type[PaymentProvider]) -> ExitStack:
    """The provider is asked as early and as late as ever, but of the hours in between only in every sixth.

    The first four, in which pages close and orders lapse, stay as they are; what the others add is the same again.
    """
    usual = provider.info.follow_up_seconds
    kept = {usual[-1], *(seconds for seconds in usual if seconds <= 4 * HOUR or seconds % (6 * HOUR) == 0)}
    fewer = tuple(seconds for seconds in usual if seconds in kept)
    gaps = tuple(seconds for seconds in inbound_processing.RETRY_SECONDS if seconds < HOUR) + (6 * HOUR,) * 4
    patched = ExitStack()
    patched.enter_context(mock.patch.object(provider, "info", replace(provider.info, follow_up_seconds=fewer)))
    patched.enter_context(mock.patch.object(inbound_processing, "RETRY_SECONDS", gaps))
    return patched
