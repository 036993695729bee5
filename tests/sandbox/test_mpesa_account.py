"""What an M-Pesa account tells of itself at the simulated Daraja: balances, QR codes, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from majuu_core.payments.account_checks import check_account, has_errors
from majuu_core.payments.balances import latest_balances, request_balances
from majuu_core.payments.models import BalanceSnapshot
from majuu_core.payments.qr_codes import make_intent_qr_code
from majuu_sim.daraja import SANDBOX_SHORTCODE
from tests.sandbox.daraja_office import TILL, Office

OpenOffice = Callable[..., Office]
UTILITY, WORKING = "Utility Account", "Working Account"


def lines(snapshot: BalanceSnapshot) -> dict[str, tuple[Decimal, Decimal | None, Decimal | None]]:
    """Name → current, available and reserved."""
    return {line.name: (line.current, line.available, line.reserved) for line in snapshot.lines.all()}


def test_balances_come_later_and_are_kept(office: Office) -> None:
    """Given money in, money out and money that is blocked, then the snapshot says what Daraja's books say."""
    office.register()
    office.customer_pays(2500)
    office.play()
    office.sim.reserve(SANDBOX_SHORTCODE, 300)

    snapshot = request_balances(account=office.account)
    assert (snapshot.status, snapshot.lines.count()) == ("requested", 0)
    letters = office.wait()
    office.deliver(letters)

    snapshot.refresh_from_db()
    assert snapshot.status == "reported"
    assert lines(snapshot)[UTILITY] == (Decimal(1_002_500), Decimal(1_002_200), Decimal(300))
    assert set(lines(snapshot)) >= {UTILITY, WORKING}
    assert lines(snapshot)[UTILITY][0] - 1_000_000 == office.books()["clearing"] == office.moved()
    office.deliver(letters)
    assert (office.states()[-2:], snapshot.lines.count()) == (["applied", "duplicate"], len(lines(snapshot)))


def test_an_account_that_is_missing_is_not_nought(office: Office) -> None:
    """Given an answer without the utility account, then the snapshot has the others, and nothing is made up."""
    office.sim.script({"event_shape": "account_missing"}, operation="account_balance")
    snapshot = request_balances(account=office.account)

    office.deliver(office.wait())

    snapshot.refresh_from_db()
    assert (snapshot.status, UTILITY in lines(snapshot)) == ("reported", False)
    assert lines(snapshot)[WORKING][0] == Decimal(1_000_000)


def test_a_refused_question_says_why(office: Office) -> None:
    """Given a wrong initiator, then the snapshot has failed with Daraja's reason, and the last good one stands."""
    good = request_balances(account=office.account)
    office.deliver(office.wait())
    office.sim.script("initiator_wrong", operation="account_balance")

    bad = request_balances(account=office.account)
    office.deliver(office.wait())

    bad.refresh_from_db()
    assert (bad.status, bad.lines.count()) == ("failed", 0)
    assert "initiator" in bad.message
    assert latest_balances([office.account])[office.account.pk].pk == good.pk


def test_a_forged_balance_is_parked(office: Office) -> None:
    """Given the account's address and an id that Daraja never gave, then nothing is believed."""
    snapshot = request_balances(account=office.account)
    [(url, body)] = office.wait()
    office.clock.advance(200)
    forged = json.loads(body)
    forged["Result"] |= {"ConversationID": "AG_20260105_forged0000000", "OriginatorConversationID": "99-forged-1"}

    office.deliver([(url, json.dumps(forged).encode())])

    snapshot.refresh_from_db()
    assert (snapshot.status, office.states(), snapshot.lines.count()) == ("requested", ["parked"], 0)


@pytest.mark.parametrize(("account", "number", "kind"), [({}, SANDBOX_SHORTCODE, "PB"), (TILL, "600101", "BG")])
def test_a_qr_code_says_what_pays_the_intent(
    open_office: OpenOffice, account: dict[str, str], number: str, kind: str
) -> None:
    """Given an intent, then its code names receiver, reference and amount; who pays a paybill by it pays the intent."""
    office = open_office(account=account)
    intent = office.intent("750")

    made = make_intent_qr_code(intent=intent, size=200)

    [drawn] = office.sim.qr_codes()
    assert made.code.png.startswith(b"\x89PNG")
    assert made.account == office.account
    assert (drawn.receiver, drawn.kind, drawn.reference, drawn.amount) == (number, kind, made.request.reference, "750")
    if kind == "PB":
        office.register()
        office.customer_pays(int(drawn.amount), drawn.reference)
        office.play()
        intent.refresh_from_db()
        assert intent.status == "succeeded"


def test_a_good_account_passes_its_checks(open_office: OpenOffice) -> None:
    """Given an account with everything and a clock that is right, then no check complains."""
    office = open_office(account={"nominated_number": "0722000000"}, start=datetime.now(UTC))

    found = {check.name: (check.state, check.message) for check in check_account(office.account)}

    assert {name: state for name, (state, _) in found.items() if state != "ok"} == {}
    assert {"access_token", "clock", "certificate", "security_credential", "pull", "c2b", "callback_words"} <= set(
        found
    )


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"consumer_secret": "wrong-secret-of-the-app"}, "access_token"),
        ({"certificate": "no certificate"}, "certificate"),
    ],
)
def test_a_wrong_account_fails_its_checks(open_office: OpenOffice, changes: dict[str, str], check: str) -> None:
    """Given a wrong secret or certificate, then that check fails and says no secret."""
    office = open_office(account=changes)

    checks = check_account(office.account)

    assert has_errors(checks)
    assert check in {one.name for one in checks if one.state == "error"}
    for one in checks:
        assert "MajuuSim#2026" not in one.message
        assert changes.get("consumer_secret", "majuu-sim-secret") not in one.message


def test_a_clock_that_is_wrong_is_seen(open_office: OpenOffice) -> None:
    """Given a machine ten minutes behind Safaricom, then the check says so before prompts fail for it."""
    office = open_office(start=datetime.now(UTC) - timedelta(minutes=10))

    found = {check.name: check for check in check_account(office.account)}

    assert found["clock"].state == "error"
    assert "time synchronisation" in found["clock"].message
