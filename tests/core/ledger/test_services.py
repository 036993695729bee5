from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from majuu_core.common.clock import VirtualClock
from majuu_core.common.money import AmountError, Money
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger import services
from majuu_core.ledger.exceptions import (
    CurrencyMismatch,
    DuplicateTransaction,
    EmptyTransaction,
    HoldAlreadyResolved,
    HoldMismatch,
    HoldNotFound,
    InsufficientFunds,
    LedgerError,
    ModeMismatch,
    NotGuarded,
    NothingToReverse,
    NotPositive,
    PostsMoreThanHeld,
    SameAccount,
    TransactionNotFound,
)
from majuu_core.ledger.models import LedgerAccount, LedgerTransaction, LedgerTransfer
from majuu_core.ledger.services import Move
from tests.core.ledger.books import (
    assert_in_order,
    available,
    book,
    clearing,
    everything,
    hold,
    incoming,
    kes,
    payable,
    posted,
    sale,
    usd,
    wallet,
)


def move(**changes: object) -> Move:
    parts = {"debit": clearing(), "credit": payable(), "amount": kes("10"), **changes}
    return Move(**parts)  # type: ignore[arg-type]


# --- moves: refused before the database is asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": usd("10")}, CurrencyMismatch),
        ({"debit": clearing("USD")}, CurrencyMismatch),
        ({"credit": payable("USD")}, CurrencyMismatch),
        ({"debit": clearing(livemode=True)}, ModeMismatch),
        ({"amount": kes("0")}, NotPositive),
        ({"amount": kes("-0.01")}, NotPositive),
        ({"amount": Money(Decimal("NaN"), "KES")}, NotPositive),
        ({"amount": Money(Decimal("Infinity"), "KES")}, NotPositive),
        ({"credit": clearing()}, SameAccount),
        ({"amount": kes("0.001")}, AmountError),
        ({"amount": kes("1000000000000000")}, AmountError),
    ],
)
def test_moves_that_mean_nothing_are_refused(changes: dict[str, object], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        move(**changes)


def test_every_refusal_says_why_it_exists() -> None:
    assert all(refusal.__doc__ for refusal in LedgerError.__subclasses__())


# --- transactions --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_transaction_and_its_transfers(virtual_clock: VirtualClock) -> None:
    transfers = services.record_transaction(
        key="ch_01:post",
        kind="charge",
        reference="ch_01",
        livemode=False,
        moves=[move(), move(amount=kes("5"), phase="pending")],
        description="Two eggs",
    )

    entry = LedgerTransaction.objects.get()
    assert (entry.key, entry.kind, entry.reference) == ("ch_01:post", "charge", "ch_01")
    assert (entry.livemode, entry.description, entry.reverses_id) == (False, "Two eggs", None)
    assert entry.created_at == virtual_clock.now()
    assert entry.public_id.startswith("lt_")
    written = {row.pk: row for row in entry.transfers.all()}
    assert [
        (written[item.pk].phase, written[item.pk].amount, written[item.pk].currency, written[item.pk].livemode)
        for item in transfers
    ] == [("posted", Decimal(10), "KES", False), ("pending", Decimal(5), "KES", False)]
    assert {row.debit_account_id for row in written.values()} == {clearing().id}
    assert {row.credit_account_id for row in written.values()} == {payable().id}
    assert {row.created_at for row in written.values()} == {virtual_clock.now()}


@pytest.mark.django_db
def test_accounts_come_into_being_with_their_first_transfer(virtual_clock: VirtualClock) -> None:
    book(move(debit=clearing(livemode=True), credit=payable(livemode=True)))

    account = LedgerAccount.objects.get(pk=payable(livemode=True).id)
    assert (account.kind, account.owner, account.category) == ("store_payable", "st_01", "liability")
    assert (account.currency, account.livemode, account.created_at) == ("KES", True, virtual_clock.now())
    assert LedgerAccount.objects.count() == 2


@pytest.mark.django_db
def test_a_repeated_key_is_refused_and_nothing_changes() -> None:
    book(move(), key="ch_01:post")
    before = everything()

    with pytest.raises(DuplicateTransaction):
        book(move(amount=kes("99")), key="ch_01:post")

    assert everything() == before


@pytest.mark.django_db
def test_after_a_refusal_the_callers_transaction_goes_on() -> None:
    book(move(), key="ch_01:post")

    with transaction.atomic():
        with pytest.raises(DuplicateTransaction):
            book(move(), key="ch_01:post")
        book(move(), key="ch_01:other")

    assert posted(payable()) == "20.00"


@pytest.mark.django_db
def test_a_transaction_of_another_mode_than_its_accounts_is_refused() -> None:
    with pytest.raises(ModeMismatch):
        services.record_transaction(key="k", kind="charge", reference="ch_01", livemode=True, moves=[move()])

    assert LedgerTransaction.objects.count() == 0


@pytest.mark.django_db
def test_a_transaction_without_moves_is_refused() -> None:
    with pytest.raises(EmptyTransaction):
        services.record_transaction(key="k", kind="charge", reference="ch_01", livemode=False, moves=[])

    assert LedgerTransaction.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [{"key": ""}, {"key": "x" * 129}, {"kind": ""}, {"kind": "Charge"}, {"kind": "x" * 33}, {"reference": ""}],
)
def test_a_transaction_has_a_key_a_kind_and_a_reference(changes: dict[str, str]) -> None:
    named = {"key": "k", "kind": "charge", "reference": "ch_01", **changes}

    with pytest.raises(ValueError):
        services.record_transaction(livemode=False, moves=[move()], **named)

    assert LedgerTransaction.objects.count() == 0


@pytest.mark.django_db
def test_a_long_description_is_cut() -> None:
    services.record_transaction(
        key="k", kind="charge", reference="ch_01", livemode=False, moves=[move()], description="x" * 300
    )

    assert LedgerTransaction.objects.get().description == "x" * 255


# --- holds ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_hold_counts_as_spent_where_it_takes_and_not_as_had_where_it_gives() -> None:
    book(sale("100"))
    book(Move(debit=payable(), credit=clearing(), amount=kes("30"), phase="pending"), kind="refund_hold")

    assert (posted(payable()), available(payable()), incoming(payable())) == ("100.00", "70.00", "0.00")
    assert (posted(clearing()), available(clearing()), incoming(clearing())) == ("100.00", "70.00", "0.00")


@pytest.mark.django_db
def test_posting_may_bring_other_moves_of_the_same_transaction() -> None:
    charge = hold("100")
    batch = WriteBatch()

    transfers = services.add_posting(
        batch,
        key="ch_01:post",
        kind="charge",
        reference="ch_01",
        hold_id=charge,
        hold=sale("100", pending=True),
        amount=kes("80"),
        also=[sale("5")],
    )
    batch.execute()

    assert [item.phase for item in transfers] == ["post_pending", "posted"]
    assert [item.pending_id for item in transfers] == [charge, None]
    assert len({item.transaction_id for item in transfers}) == 1
    assert (posted(payable()), incoming(payable())) == ("85.00", "0.00")


@pytest.mark.django_db
@pytest.mark.parametrize("first", [services.post_hold, services.void_hold])
@pytest.mark.parametrize("second", [services.post_hold, services.void_hold])
def test_a_hold_is_resolved_once(first: object, second: object) -> None:
    charge = hold("100")
    first(key="a", kind="charge", reference="ch_01", hold_id=charge)  # type: ignore[operator]
    before = everything()

    with pytest.raises(HoldAlreadyResolved):
        second(key="b", kind="charge", reference="ch_01", hold_id=charge)  # type: ignore[operator]

    assert everything() == before


@pytest.mark.django_db
def test_no_more_is_posted_than_was_held() -> None:
    charge = hold("100")
    before = everything()

    with pytest.raises(PostsMoreThanHeld):
        services.post_hold(key="a", kind="charge", reference="ch_01", hold_id=charge, amount=kes("100.01"))

    assert everything() == before


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [usd("10"), kes("0"), kes("-1")])
def test_a_posting_is_a_move_like_any_other(amount: Money) -> None:
    charge = hold("100")

    with pytest.raises((CurrencyMismatch, NotPositive)):
        services.post_hold(key="a", kind="charge", reference="ch_01", hold_id=charge, amount=amount)

    assert incoming(payable()) == "100.00"


@pytest.mark.django_db
def test_a_hold_that_does_not_exist() -> None:
    with pytest.raises(HoldNotFound):
        services.void_hold(key="a", kind="charge_void", reference="ch_01", hold_id=uuid.UUID(int=1))


@pytest.mark.django_db
def test_a_posted_transfer_is_no_hold() -> None:
    transfer = book(sale("100"))[0]

    with pytest.raises(HoldNotFound):
        services.post_hold(key="a", kind="charge", reference="ch_01", hold_id=transfer.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "told",
    [
        sale("100.01", pending=True),
        Move(debit=payable(), credit=clearing(), amount=kes("100"), phase="pending"),
        Move(debit=clearing(), credit=payable(owner="st_02"), amount=kes("100"), phase="pending"),
    ],
)
def test_a_batch_that_remembers_the_hold_wrongly_is_refused(told: Move) -> None:
    charge = hold("100")
    before = everything()
    batch = WriteBatch()
    services.add_voiding(batch, key="a", kind="charge_void", reference="ch_01", hold_id=charge, hold=told)

    with pytest.raises(HoldMismatch), services.ledger_errors(), transaction.atomic():
        batch.execute()

    assert everything() == before


@pytest.mark.django_db
def test_hold_and_posting_in_one_batch() -> None:
    batch = WriteBatch()
    made = services.add_transaction(
        batch, key="a", kind="charge_hold", reference="ch_01", livemode=False, moves=[sale("100", pending=True)]
    )
    services.add_posting(
        batch, key="b", kind="charge", reference="ch_01", hold_id=made[0].pk, hold=sale("100", pending=True)
    )

    batch.execute()

    assert (posted(payable()), incoming(payable())) == ("100.00", "0.00")
    assert_in_order()


# --- reversals -----------------------------------------------------------------------------------------------------


def reverse(transaction_id: uuid.UUID, key: str = "reversal") -> list[LedgerTransfer]:
    return services.reverse_transaction(
        transaction_id=transaction_id, key=key, kind="correction", reference="ch_01", description="Typing error"
    )


@pytest.mark.django_db
def test_a_reversal_moves_everything_back() -> None:
    wrong = book(sale("100"), Move(debit=payable(), credit=clearing(), amount=kes("3")))

    back = reverse(wrong[0].transaction_id)

    assert {(item.debit_account_id, item.credit_account_id, item.amount) for item in back} == {
        (payable().id, clearing().id, Decimal(100)),
        (clearing().id, payable().id, Decimal(3)),
    }
    entry = LedgerTransaction.objects.get(key="reversal")
    assert (entry.reverses_id, entry.kind, entry.description) == (
        wrong[0].transaction_id,
        "correction",
        "Typing error",
    )
    assert (posted(payable()), posted(clearing())) == ("0.00", "0.00")
    assert_in_order()


@pytest.mark.django_db
def test_a_reversal_releases_open_holds_and_leaves_resolved_ones() -> None:
    mixed = book(sale("100", pending=True), sale("40", pending=True), sale("7"))
    services.post_hold(key="post", kind="charge", reference="ch_01", hold_id=mixed[0].pk, amount=kes("60"))

    reverse(mixed[0].transaction_id)

    assert (posted(payable()), incoming(payable())) == ("60.00", "0.00")
    assert_in_order()


@pytest.mark.django_db
def test_a_posting_can_be_reversed() -> None:
    charge = hold("100")
    post = services.post_hold(key="post", kind="charge", reference="ch_01", hold_id=charge, amount=kes("60"))

    reverse(post[0].transaction_id)

    assert (posted(payable()), incoming(payable())) == ("0.00", "0.00")
    assert_in_order()


@pytest.mark.django_db
def test_a_transaction_is_reversed_once() -> None:
    wrong = book(sale("100"))
    reverse(wrong[0].transaction_id)
    before = everything()

    with pytest.raises(DuplicateTransaction):
        reverse(wrong[0].transaction_id, key="another key")

    assert everything() == before


@pytest.mark.django_db
def test_what_moved_nothing_cannot_be_reversed() -> None:
    charge = hold("100")
    void = services.void_hold(key="void", kind="charge_void", reference="ch_01", hold_id=charge)

    with pytest.raises(NothingToReverse):
        reverse(void[0].transaction_id)


@pytest.mark.django_db
def test_an_unknown_transaction_cannot_be_reversed() -> None:
    with pytest.raises(TransactionNotFound):
        reverse(uuid.UUID(int=1))


# --- guarded accounts ----------------------------------------------------------------------------------------------


@pytest.fixture
def filled_wallet(db: None) -> None:
    book(Move(debit=clearing(), credit=wallet(), amount=kes("100")), kind="deposit")
    book(Move(debit=wallet(), credit=payable(), amount=kes("30"), phase="pending"), kind="charge_hold")


@pytest.mark.usefixtures("filled_wallet")
def test_what_is_available_may_be_spent() -> None:
    with transaction.atomic():
        before = services.lock_for_spending(wallet(), kes("70"))
        book(Move(debit=wallet(), credit=payable(), amount=kes("70")))

    assert before.available == kes("70")
    assert available(wallet()) == "0.00"
    assert_in_order()


@pytest.mark.usefixtures("filled_wallet")
def test_what_is_held_may_not_be_spent() -> None:
    with pytest.raises(InsufficientFunds, match=r"70\.\d+ available, 70\.01 are asked for"), transaction.atomic():
        services.lock_for_spending(wallet(), kes("70.01"))


@pytest.mark.django_db
def test_an_account_nobody_used_has_nothing_to_spend() -> None:
    with pytest.raises(InsufficientFunds), transaction.atomic():
        services.lock_for_spending(wallet("cu_02"), kes("0.01"))


@pytest.mark.django_db
def test_only_guarded_accounts_are_locked() -> None:
    with pytest.raises(NotGuarded):
        services.lock_for_spending(payable(), kes("1"))
    with pytest.raises(CurrencyMismatch):
        services.lock_for_spending(wallet(), usd("1"))


# --- known accounts ------------------------------------------------------------------------------------------------


def accounts_written(batch: WriteBatch) -> int:
    return len(batch) - 2  # a transaction and one transfer


def one_sale() -> WriteBatch:
    batch = WriteBatch()
    services.add_transaction(
        batch, key=str(uuid.uuid4()), kind="charge", reference="ch_01", livemode=False, moves=[sale("1")]
    )
    return batch


def sale_that_is_rolled_back() -> None:
    with transaction.atomic():
        one_sale().execute()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_accounts_are_written_until_they_are_committed() -> None:
    first, meanwhile = one_sale(), one_sale()
    assert (accounts_written(first), accounts_written(meanwhile)) == (2, 2)

    first.execute()

    assert accounts_written(one_sale()) == 0
    meanwhile.execute()
    assert posted(payable()) == "2.00"


@pytest.mark.django_db(transaction=True)
def test_a_rollback_does_not_leave_accounts_known() -> None:
    sale_that_is_rolled_back()

    assert accounts_written(one_sale()) == 2
    one_sale().execute()
    assert posted(payable()) == "1.00"


@pytest.mark.django_db(transaction=True)
def test_a_refused_batch_does_not_leave_accounts_known() -> None:
    batch = one_sale()
    batch.insert(LedgerAccount(id=uuid.uuid4(), kind="x" * 40, owner="o", category="asset", currency="KES"))

    with pytest.raises(Exception):  # noqa: B017 - each database has its own word for it
        batch.execute()

    assert accounts_written(one_sale()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_rolled_back_does_not_leave_accounts_known() -> None:
    with transaction.atomic():
        sale_that_is_rolled_back()
        book(Move(debit=clearing("USD"), credit=payable("USD"), amount=usd("1")))

    assert accounts_written(one_sale()) == 2


@pytest.mark.django_db
def test_a_known_account_that_is_gone_is_asked_for_again() -> None:
    """As after a restored backup: one refusal, then all is well."""
    services._known_accounts.update(("default", ref.id) for ref in (clearing(), payable()))

    with pytest.raises(IntegrityError):
        book(sale("1"))
    book(sale("1"))

    assert posted(payable()) == "1.00"


# --- one statement -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL takes a batch in one statement")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [False, True])
def test_a_batch_is_one_statement_on_postgresql(django_assert_num_queries: object, known: bool) -> None:
    charge = hold("100")
    if not known:
        services.forget_known_accounts()
    batch = WriteBatch()
    services.add_posting(
        batch,
        key="ch_01:post",
        kind="charge",
        reference="ch_01",
        hold_id=charge,
        hold=sale("100", pending=True),
        amount=kes("90"),
        also=[sale("5"), Move(debit=payable(), credit=clearing(), amount=kes("2"))],
    )

    with django_assert_num_queries(1) as queries:  # type: ignore[operator]
        batch.execute()

    assert ("ledgeraccount" in queries.captured_queries[0]["sql"]) is not known
    assert posted(payable()) == "93.00"
