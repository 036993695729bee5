"""What a test does with money beyond prompts: pay a paybill, answer a validation, fund, look at the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from majuu_sim.daraja import credentials
from majuu_sim.daraja.books import ACCOUNTS, UTILITY, Account, Books, Entry, Movement
from majuu_sim.daraja.c2b_bodies import Verdict
from majuu_sim.daraja.c2b_engine import C2BEngine
from majuu_sim.daraja.c2b_gateway import LONGEST_ACCOUNT
from majuu_sim.daraja.c2b_records import C2BPayment, Registration
from majuu_sim.daraja.checking import is_msisdn
from majuu_sim.daraja.config import DarajaConfig, Shortcode
from majuu_sim.daraja.credentials import InitiatorDesk
from majuu_sim.daraja.customers import Customers
from majuu_sim.daraja.jobs_engine import JobEngine
from majuu_sim.daraja.jobs_records import Job
from majuu_sim.daraja.messages import Message, messages_for
from majuu_sim.daraja.qr import QrCode, QrGateway
from majuu_sim.daraja.results import API_RESULTS
from majuu_sim.daraja.statement import StatementRow, as_csv, statement_rows
from majuu_sim.events import EventAttempt
from majuu_sim.faults import FaultScript, is_whole
from majuu_sim.simulator import ScriptLike, Simulator

Names = str | Sequence[str]


class MoneySimulator(Simulator):
    """The part of the simulated Daraja that deals with C2B, payouts and the books."""

    config: DarajaConfig
    books: Books
    customers: Customers
    c2b: C2BEngine
    jobs_engine: JobEngine
    initiators: InitiatorDesk
    qr: QrGateway

    # C2B.

    def pay_paybill(
        self,
        msisdn: str,
        shortcode: str,
        amount: int,
        account: str,
        *,
        names: Names = "",
        script: ScriptLike | None = None,
    ) -> C2BPayment:
        """A customer pays a paybill by hand; returns when the business has been asked and told, unless that is planned
        for later. ``names``: the payer's, "John Doe" or its words. KeyError when nobody has the number, ValueError for
        what a telephone would not send."""
        return self._await(lambda: self.pay_here(msisdn, shortcode, amount, account, names, script, till=False))

    def pay_till(
        self, msisdn: str, till: str, amount: int, *, names: Names = "", script: ScriptLike | None = None
    ) -> C2BPayment:
        """A customer pays a till by hand; as :meth:`pay_paybill`."""
        return self._await(lambda: self.pay_here(msisdn, till, amount, "", names, script, till=True))

    def c2b_payments(self) -> list[C2BPayment]:
        """Every payment customers began by themselves, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [payment.copy() for payment in self.c2b.payments.values()])

    def registrations(self) -> list[Registration]:
        """The C2B addresses registered so far."""
        return self._on_loop(lambda: list(self.c2b.registrations.values()))

    def set_validation(self, shortcode: str, on: bool = True) -> None:
        """Switch external validation; KeyError when there is no such shortcode."""
        self._on_loop(lambda: self.set_validation_here(shortcode, on))

    def answer_validation(self, receipt: str, result_code: str = "0", third_party_id: str = "") -> C2BPayment:
        """Answer a validation that was kept or lost, as the business; KeyError when the payment waits for none."""
        return self._await(lambda: self.answer_validation_here(receipt, result_code, third_party_id))

    def forge_confirmation(
        self,
        shortcode: str,
        *,
        amount: int,
        account: str = "",
        msisdn: str = "254708374149",
        names: Names = "",
        claims: str | None = None,
    ) -> EventAttempt:
        """Send a confirmation of a payment nobody made to the shortcode's own address. ``claims``: the shortcode it
        names instead. KeyError when no addresses are registered."""
        return self._await(
            lambda: self.forge_confirmation_here(
                shortcode, amount=amount, account=account, msisdn=msisdn, names=names, claims=claims
            )
        )

    # Requests with a later result.

    def jobs(self) -> list[Job]:
        """Every accepted B2C, B2B, reversal, status and balance request, oldest first (copies)."""
        return self._on_loop(lambda: [job.copy() for job in self.jobs_engine.jobs.values()])

    def forge_result(self, conversation: str, *, outcome: str = "pay", amount: int | None = None) -> EventAttempt:
        """Send a result nobody at Daraja sent, by ConversationID or OriginatorConversationID; KeyError when there is
        no such request, ValueError for an unknown outcome."""
        return self._await(lambda: self.forge_result_here(conversation, outcome, amount))

    def unlock_initiator(self, name: str) -> None:
        """Let an initiator try again; KeyError when there is no such one."""
        self._on_loop(lambda: self.initiators.unlock(name))

    def certificate(self) -> str:
        """The PEM certificate to encrypt initiator passwords with; RuntimeError without ``cryptography``."""
        return credentials.certificate_pem()

    def write_certificate(self, path: Path | str) -> Path:
        """Write :meth:`certificate` to a file."""
        target = Path(path)
        target.write_text(self.certificate())
        return target

    def security_credential(self, password: str | None = None) -> str:
        """A ready SecurityCredential: of the first initiator's password, or of another."""
        return credentials.make_credential(self.config.initiators[0].password if password is None else password)

    def qr_codes(self) -> list[QrCode]:
        """What every generated QR code was asked to say."""
        return self._on_loop(lambda: list(self.qr.codes))

    # The books.

    def movements(self) -> list[Movement]:
        """All money that really moved, oldest first: the truth."""
        return self._on_loop(lambda: list(self.books.movements))

    def shortcode_balances(self, shortcode: str) -> dict[str, Decimal]:
        """Account name → what is in it, reserved or not; KeyError when there is no such shortcode."""
        return self._on_loop(lambda: {name: one.current for name, one in self.accounts_here(shortcode).items()})

    def statement(self, shortcode: str, day: date | None = None, *, account: str | None = None) -> list[StatementRow]:
        """A shortcode's rows of a day in East Africa Time (None: all), of one account or of all; KeyError when there
        is no such shortcode."""
        return self._on_loop(lambda: self.statement_here(shortcode, day, account))

    def statement_csv(self, shortcode: str, day: date | None = None, *, account: str | None = None) -> str:
        """The same as comma-separated values, as the organisation portal gives them."""
        return as_csv(self.statement(shortcode, day, account=account))

    def fund(self, shortcode: str, amount: int | Decimal, *, account: str = UTILITY) -> Movement:
        """Put money into an account from outside (a bank)."""
        return self._on_loop(lambda: self.move_here(shortcode, Decimal(amount), account))

    def withdraw(self, shortcode: str, amount: int | Decimal, *, account: str = UTILITY) -> Movement:
        """Take money out of an account to a bank, as a person in the portal would: no event tells of it."""
        return self._on_loop(lambda: self.move_here(shortcode, -Decimal(amount), account))

    def reserve(self, shortcode: str, amount: int | Decimal, *, account: str = UTILITY) -> None:
        """Block money in an account: it stays, but is not available."""
        self._on_loop(lambda: self.books.reserve(self._owner_of(shortcode).number, account, Decimal(amount)))

    def messages(self, msisdn: str, language: str = "en") -> list[Message]:
        """The short messages on a customer's telephone, in English or Swahili (``sw``)."""
        return self._on_loop(lambda: messages_for(msisdn, self.books.movements, language))

    # The same, on the loop.

    async def pay_here(
        self,
        msisdn: str,
        receiver: str,
        amount: int,
        account: str,
        names: Names = "",
        script: ScriptLike | None = None,
        *,
        till: bool | None = None,
    ) -> C2BPayment:
        """See :meth:`pay_paybill`. ``till`` None: whatever the number is."""
        owner = self._owner_of(receiver)
        is_till = receiver in owner.tills
        if not is_till and owner.is_till:
            raise ValueError(f"{receiver} is the number of a store; customers pay its tills")
        if till is not None and till != is_till:
            raise ValueError(f"{receiver} is a {'till' if is_till else 'paybill'}")
        self._check_payment(msisdn, amount, account, is_till)
        payment = self.c2b.open(
            msisdn=msisdn,
            receiver=receiver,
            amount=amount,
            account=account,
            names=_joined(names),
            script=self._c2b_script(script),
        )
        await self.c2b.pay(payment)
        return payment.copy()

    def _c2b_script(self, script: ScriptLike | None) -> FaultScript | None:
        return None if script is None else self.make_rule(script, "c2b_pay", None, 1).script

    def _check_payment(self, msisdn: str, amount: int, account: str, is_till: bool) -> None:
        if not is_msisdn(msisdn):
            raise ValueError(f"a customer is a number like 254712345678, not {msisdn!r}")
        if not is_whole(amount) or not 1 <= amount <= self.config.max_amount:
            raise ValueError(f"an amount is a whole number of shillings from 1 to {self.config.max_amount}")
        if len(account) > LONGEST_ACCOUNT or not (account.strip() or is_till):
            raise ValueError(f"an account has 1 to {LONGEST_ACCOUNT} characters")

    def set_validation_here(self, shortcode: str, on: bool) -> None:
        """See :meth:`set_validation`."""
        number = self._owner_of(shortcode).number
        if on:
            self.c2b.validating.add(number)
        else:
            self.c2b.validating.discard(number)

    async def answer_validation_here(self, receipt: str, result_code: str, third_party_id: str) -> C2BPayment:
        """See :meth:`answer_validation`."""
        payment = self.c2b.payments[receipt]
        verdict = Verdict(result_code == "0", result_code, third_party_id)
        await self.c2b.answer_validation(payment, verdict)
        return payment.copy()

    async def forge_confirmation_here(
        self, shortcode: str, *, amount: int, account: str, msisdn: str, names: Names, claims: str | None
    ) -> EventAttempt:
        """See :meth:`forge_confirmation`."""
        owner = self._owner_of(shortcode)
        registration = self.c2b.registration_for(shortcode)
        if registration is None:
            raise KeyError(shortcode)
        self._check_payment(msisdn, amount, account or "-", shortcode in owner.tills)
        like = C2BPayment(
            receipt="",
            msisdn=msisdn,
            names=_joined(names) or self.customers.names_of(msisdn),
            shortcode=owner.number,
            receiver=shortcode,
            amount=amount,
            account_reference=account,
            started_at=self.clock.now(),
            script=FaultScript(event_receiver=claims),
        )
        return await self.c2b.send(self.c2b.forged(like, registration, amount=amount))

    async def forge_result_here(self, conversation: str, outcome: str, amount: int | None) -> EventAttempt:
        """See :meth:`forge_result`."""
        if outcome not in API_RESULTS:
            raise ValueError(f"unknown outcome {outcome!r}; known: {', '.join(sorted(API_RESULTS))}")
        job = self.jobs_engine.find(conversation)
        if job is None:
            raise KeyError(conversation)
        return await self.c2b.send(self.jobs_engine.forged(job, outcome, amount))

    def statement_here(self, shortcode: str, day: date | None, account: str | None) -> list[StatementRow]:
        """See :meth:`statement`."""
        if account is not None and account not in ACCOUNTS:
            raise ValueError(f"an account is one of {', '.join(ACCOUNTS)}, not {account!r}")
        return statement_rows(self.books.movements, self._owner_of(shortcode), day, account)

    def move_here(self, shortcode: str, amount: Decimal, account: str) -> Movement:
        """See :meth:`fund` (positive) and :meth:`withdraw` (negative)."""
        owner = self._owner_of(shortcode)
        held = self._account(owner, account)
        if not amount or held.available + amount < 0:
            raise ValueError(f"{abs(amount)} cannot be moved: {held.available:.2f} are available")
        coming = amount > 0
        bank, now = "A bank", self.clock.now()
        movement = Movement(
            receipt=self.books.new_receipt(),
            kind="deposit" if coming else "withdrawal",
            amount=abs(amount),
            at=now,
            started_at=now,
            payer=bank if coming else owner.public_name,
            receiver=owner.public_name if coming else bank,
            reason="Deposit of Funds" if coming else "Withdrawal of Funds",
        )
        return self.books.record(movement, [Entry(owner.number, account, amount)])

    def accounts_here(self, shortcode: str) -> dict[str, Account]:
        """A shortcode's accounts; KeyError when there is no such shortcode."""
        return self.books.accounts_of(self._owner_of(shortcode).number)

    def _account(self, owner: Shortcode, name: str) -> Account:
        if name not in ACCOUNTS:
            raise ValueError(f"an account is one of {', '.join(ACCOUNTS)}, not {name!r}")
        return self.books.account(owner.number, name)

    def _owner_of(self, number: str) -> Shortcode:
        owner = self.config.owner_of(number)
        if owner is None:
            raise KeyError(number)
        return owner

    def money_state_here(self) -> dict[str, Any]:
        """The part of the state that is about money."""
        return {
            "registrations": [one.to_dict() for one in self.c2b.registrations.values()],
            "c2b_payments": len(self.c2b.payments),
            "movements": len(self.books.movements),
            "jobs": [job.to_dict() for job in self.jobs_engine.jobs.values()],
            "initiators": self.initiators.to_list(),
        }


def _joined(names: Names) -> str:
    return names if isinstance(names, str) else " ".join(word for word in names if word)
