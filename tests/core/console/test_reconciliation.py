"""Statements, closes and differences in the console: what people press, and what those who may not cannot."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.common.tables import read_rows
from majuu_core.console.cells import address_of
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.models import IncomingPayment
from majuu_core.reports.due import run_due_closes
from majuu_core.reports.findings import GONE
from majuu_core.reports.models import Close, Mismatch, Settlement, SettlementLine
from majuu_core.testing.factories import make_user
from tests.core.console.world import make_staff
from tests.core.reports.desk import DAY, NOON, Desk, at, kes
from tests.core.reports.paper_provider import PaperPlugin

VIEW = ("majuu_reports.view_settlement", "majuu_reports.view_close", "majuu_reports.view_mismatch")


@pytest.fixture
def desk(db, virtual_clock, temporary_plugin) -> Desk:
    temporary_plugin(PaperPlugin())
    return Desk.open(virtual_clock)


@pytest.fixture
def client(staff_client):
    """Somebody who may do everything about reconciliation."""
    return staff_client(
        *VIEW, "majuu_reports.add_settlement", "majuu_reports.change_close", "majuu_reports.change_mismatch"
    )


@pytest.fixture
def onlooker(staff_client):
    return staff_client(*VIEW)


def action(row, name: str) -> str:
    return reverse(f"console:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.public_id])


def upload(client, desk: Desk, body: str, **more):
    file = SimpleUploadedFile("day.csv", body.encode(), content_type="text/csv")
    return client.post(
        reverse("console:majuu_reports_settlement_upload"), {"account": desk.account.pk, "file": file, **more}
    )


def text(answer) -> str:
    return answer.content.decode()


def test_a_statement_is_uploaded_looked_at_and_imported(desk: Desk, client) -> None:
    assert 'type="file"' in text(client.get(reverse("console:majuu_reports_settlement_upload")))
    answer = upload(client, desk, f"UA01,{NOON},100\nUA02,{NOON},lots\n")
    settlement = Settlement.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, address_of(settlement))
    page = text(client.get(answer["Location"]))
    assert "1 new and 0 changed lines; 0 are known already." in page
    assert ("No amount." in page, "Some rows cannot be read." in page) == (True, True)
    assert SettlementLine.objects.count() == 0
    answer = client.post(action(settlement, "import"), follow=True)
    assert "Imported. The worker closes the days it is about." in text(answer)
    assert (SettlementLine.objects.count(), "UA01" in text(answer)) == (1, True)
    entry = AuditEntry.objects.get(action="settlement.imported")
    assert (entry.actor_type, entry.object_id) == ("user", settlement.public_id)


def test_a_refused_file_says_why(desk: Desk, client) -> None:
    answer = client.get(upload(client, desk, "unusable,,\n")["Location"])
    assert "The column &quot;amount&quot; is missing." in text(answer)
    assert action(Settlement.objects.get(), "import") not in text(answer)


def test_a_wrong_form_is_shown_again_with_what_is_wrong(desk: Desk, client) -> None:
    reversed_days = upload(client, desk, f"UA01,{NOON},1\n", first_day="2026-01-10", last_day="2026-01-09")
    empty = upload(client, desk, "")
    assert "The last day is before the first." in text(reversed_days)
    assert "The submitted file is empty." in text(empty)
    assert Settlement.objects.count() == 0


def test_a_staged_file_can_be_discarded(desk: Desk, client) -> None:
    settlement = desk.stage(f"UA01,{NOON},100")
    client.post(action(settlement, "discard"))
    settlement.refresh_from_db()
    assert settlement.state == "discarded"
    assert "This statement is discarded." in text(client.post(action(settlement, "import"), follow=True))


def test_a_close_shows_its_totals_side_by_side_and_its_differences(desk: Desk, client) -> None:
    desk.charge("UA01", 1500)
    desk.incoming("UA02", 20, source="pull")
    desk.bring(f"UA01,{NOON},1500", f"UA02,{NOON},20", f"UA03,{NOON},7", f"UA04,{NOON},-3")
    close = desk.close()
    page = text(client.get(address_of(close)))
    for shown in ("1,520.00 (2)", "1,527.00 (3)", "3.00 (1)", "UA03", "UA04", "Of 2 payments no event ever came"):
        assert shown in page, shown
    assert "mj-progress" not in page


def test_a_running_close_shows_how_far_it_is(desk: Desk, client) -> None:
    close = Close.objects.create(
        provider_account=desk.account,
        livemode=False,
        day=DAY,
        time_zone="UTC",
        state="running",
        done=250,
        expected=1000,
    )
    page = text(client.get(address_of(close)))
    assert '<progress class="mj-progress" max="100" value="25">' in page
    assert ("250 of 1,000 compared" in page, 'http-equiv="refresh"' in page) == (True, True)
    assert "It is being closed at this moment." in text(client.post(action(close, "again"), follow=True))


def test_a_day_is_closed_again_by_the_worker(desk: Desk, client) -> None:
    close = desk.close()
    assert "There is no whole statement of this day" in text(client.get(address_of(close)))
    client.post(action(close, "again"))
    close.refresh_from_db()
    assert close.state == "waiting"


def test_a_difference_is_assigned_resolved_and_opened_again(desk: Desk, client) -> None:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    row, user = Mismatch.objects.get(), make_staff()
    client.post(action(row, "assign"), {"assignee": user.pk})
    refused = client.post(action(row, "resolve"), {"reason": " "}, follow=True)
    assert "Say why it is settled" in text(refused)
    client.post(action(row, "resolve"), {"reason": "Paid in by the owner."})
    row.refresh_from_db()
    assert (row.state, row.assignee, row.resolution) == ("resolved", user, "Paid in by the owner.")
    assert row.resolved_by.startswith("user:")
    page = text(client.get(address_of(row)))
    assert (action(row, "reopen") in page, action(row, "resolve") in page) == (True, False)
    client.post(action(row, "reopen"))
    row.refresh_from_db()
    assert row.state == "assigned"


@pytest.mark.parametrize("assignee", ["999999", "x", "customer"])
def test_only_staff_can_be_given_a_difference(desk: Desk, client, assignee: str) -> None:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    row = Mismatch.objects.get()
    chosen = make_user().pk if assignee == "customer" else assignee
    assert client.post(action(row, "assign"), {"assignee": chosen}).status_code == 404
    row.refresh_from_db()
    assert (row.state, row.assignee) == ("open", None)


def test_differences_are_exported_as_they_are_filtered(desk: Desk, client) -> None:
    desk.charge("UA01")
    desk.bring(f"UA02,{NOON},100")
    desk.close()
    base = reverse("console:majuu_reports_mismatch_csv")
    everything = b"".join(client.get(base).streaming_content).decode("utf-8-sig")
    some = client.get(f"{base}?kind=missing_here")
    assert some["Content-Disposition"] == 'attachment; filename="differences.csv"'
    rows = list(csv.reader(io.StringIO(b"".join(some.streaming_content).decode("utf-8-sig"))))
    assert (len(everything.splitlines()), len(rows), rows[1][5]) == (3, 2, "UA02")
    sheet = client.get(reverse("console:majuu_reports_mismatch_xlsx"))
    assert len(list(read_rows(io.BytesIO(b"".join(sheet.streaming_content))))) == 3


def test_those_who_may_only_look_change_nothing(desk: Desk, onlooker) -> None:
    staged = desk.stage(f"UA09,{NOON},1")
    desk.bring(f"UA01,{NOON},100")
    close = desk.close()
    row = Mismatch.objects.get()
    addresses = [
        *(action(staged, name) for name in ("import", "discard")),
        action(close, "again"),
        *(action(row, name) for name in ("assign", "resolve", "reopen")),
    ]
    for address in addresses:
        assert onlooker.get(address).status_code == 405
        assert onlooker.post(address, {"reason": "because I say so"}).status_code == 403
    assert onlooker.get(reverse("console:majuu_reports_settlement_upload")).status_code == 403
    assert upload(onlooker, desk, f"UA10,{NOON},1\n").status_code == 403
    for changed in (staged, close, row):
        before = changed.state
        changed.refresh_from_db()
        assert changed.state == before
        page = text(onlooker.get(address_of(changed)))
        assert [address for address in addresses if address in page] == []
    assert Settlement.objects.count() == 2


def test_others_get_no_files(desk: Desk, staff_client) -> None:
    other = staff_client("majuu_payments.view_charge")
    for name in ("csv", "xlsx"):
        assert other.get(reverse(f"console:majuu_reports_mismatch_{name}")).status_code == 403


def receipt_missing_here(desk: Desk, line: str = f"UA01,{NOON},100,,254712345678 - JANE") -> Mismatch:
    desk.bring(line)
    desk.close()
    return Mismatch.objects.get()


def test_a_payment_that_only_the_statement_knows_is_taken_in(desk: Desk, client) -> None:
    """given money that is missing here / when taken in / then it is kept and audited, and the next close agrees."""
    desk.incoming("UA00", 1)
    row = receipt_missing_here(desk, f"UA00,{NOON},1\nUA01,{NOON},100,,254712345678 - JANE")
    run_due_closes(limit=5)  # of the days around it
    assert "Take into the intake" in text(page := client.get(address_of(row)))
    assert 'name="receiver" value="174379"' in text(page)
    answer = client.post(action(row, "take"), {"receiver": "174379"}, follow=True)
    assert "Taken in. The worker closes the day again" in text(answer)
    money = IncomingPayment.objects.get(receipt="UA01")
    assert (money.amount, money.source, money.verified_by) == (kes(100), "statement", "statement")
    assert (money.ownership, money.receiver, money.occurred_at) == ("unclaimed", "174379", at(NOON))
    entry = AuditEntry.objects.get(action="mismatch.taken_in")
    assert (entry.actor_type, entry.object_id) == ("user", row.public_id)
    assert entry.changes == {"receipt": "UA01", "receiver": "174379"}
    made = AuditEntry.objects.get(action="incoming_payment.received")
    assert (made.actor_type, made.actor_id) == ("user", entry.actor_id)
    assert Close.objects.get(pk=row.close_id).state == "waiting"
    run_due_closes(limit=5)
    row.refresh_from_db()
    assert (row.state, row.resolution, desk.open_ones()) == ("resolved", GONE, [])
    assert "Take into the intake" not in text(client.get(address_of(row)))


def test_taking_in_twice_keeps_the_money_once(desk: Desk, client) -> None:
    row = receipt_missing_here(desk)
    for _ in range(2):
        client.post(action(row, "take"), {"receiver": "174379"})
    assert IncomingPayment.objects.count() == 1
    assert LedgerTransaction.objects.filter(kind="incoming").count() == 1


@pytest.mark.parametrize("receiver", ["", "  ", "1" * 65])
def test_a_receiver_is_needed(desk: Desk, client, receiver: str) -> None:
    row = receipt_missing_here(desk)
    answer = client.post(action(row, "take"), {"receiver": receiver}, follow=True)
    assert "Say which shortcode or account the money went to" in text(answer)
    assert (IncomingPayment.objects.count(), AuditEntry.objects.filter(action="mismatch.taken_in").count()) == (0, 0)


def test_who_may_not_settle_takes_nothing_in(desk: Desk, onlooker) -> None:
    row = receipt_missing_here(desk)
    assert "Take into the intake" not in text(onlooker.get(address_of(row)))
    assert onlooker.post(action(row, "take"), {"receiver": "174379"}).status_code == 403
    row.refresh_from_db()
    assert (row.state, IncomingPayment.objects.count()) == ("open", 0)


@pytest.mark.parametrize("line", [f"UA01,{NOON},-100", f"UA01,{NOON},100,adjustment"])
def test_only_payments_that_came_in_can_be_taken_in(desk: Desk, client, line: str) -> None:
    row = receipt_missing_here(desk, line)
    assert "Take into the intake" not in text(client.get(address_of(row)))
    answer = client.post(action(row, "take"), {"receiver": "174379"}, follow=True)
    assert "Only a payment that came in and is missing here can be taken in." in text(answer)
    assert IncomingPayment.objects.count() == 0
