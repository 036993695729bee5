"""The console's pages for money that people see."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from majuu_core.console.cells import address_of
from majuu_core.payments.models import Refund, Sighting
from majuu_core.reports.bank_mappings import saved_mapping
from majuu_core.testing.people import sign_in
from tests.core.console.test_details import text_of
from tests.core.console.world import make_staff
from tests.core.manual.office import MAPPING, Office, arrived, csv_of, state_of
from tests.core.manual.test_refunds import ask_back

SEES = ("majuu_payments.view_charge", "majuu_payments.view_sighting", "majuu_payments.add_sighting")
DECIDES = ("majuu_payments.view_sighting", "majuu_payments.change_sighting")
PAYS = ("majuu_payments.view_refund", "majuu_payments.change_refund")
LIST = "/console/refunds-by-hand/?mode=test"


def staff(*permissions: str) -> Client:
    client = Client()
    sign_in(client, make_staff(*permissions))
    return client


def at(row: Any, action: str) -> str:
    return f"{address_of(row).removesuffix('change/')}{action}/"


def test_two_people_confirm_a_transfer_in_the_console(office: Office) -> None:
    charge, maker, checker = office.wait_for(), staff(*SEES, *DECIDES), staff(*DECIDES)
    page = text_of(maker.get(address_of(charge)))
    assert "Money seen …" in page
    assert "Ask the provider now" not in page
    shown = text_of(maker.get(at(charge, "seen")))
    assert str(charge.provider_reference) in shown
    wrong = maker.post(at(charge, "seen"), {"amount": "1400", "on": "2026-01-01", "bank_reference": "FT1"})
    assert wrong.status_code == 422
    assert "This account takes no other amount" in text_of(wrong)
    assert not Sighting.objects.exists()
    told = {"amount": "1,500.00", "on": "2026-01-01", "bank_reference": "FT1"}
    answer = maker.post(at(charge, "seen"), told, follow=True)
    assert "so somebody else has to confirm it" in text_of(answer)
    sighting = Sighting.objects.get()
    maker.post(at(sighting, "confirm"))
    assert state_of(charge) == "requires_action"
    answer = checker.post(at(sighting, "confirm"), follow=True)
    assert "Confirmed." in text_of(answer)
    assert state_of(charge) == "succeeded"


def test_who_may_not_say_or_confirm_changes_nothing(office: Office) -> None:
    charge, maker = office.wait_for(), staff(*SEES)
    stranger = staff("majuu_payments.view_charge", "majuu_payments.view_sighting")
    told = {"amount": "1500.00", "on": "2026-01-01", "bank_reference": "FT1"}
    assert stranger.post(at(charge, "seen"), told).status_code == 403
    assert "Money seen …" not in text_of(stranger.get(address_of(charge)))
    maker.post(at(charge, "seen"), told)
    sighting = Sighting.objects.get()
    for action in ("confirm", "refuse"):
        assert stranger.post(at(sighting, action), {"reason": "because"}).status_code == 403
    sighting.refresh_from_db()
    assert (sighting.status, state_of(charge)) == ("waiting", "requires_action")


def test_refunds_are_listed_downloaded_and_marked(office: Office) -> None:
    refund, clerk = ask_back(office, "1500", "500"), staff(*PAYS)
    page = text_of(clerk.get(LIST))
    assert "0011223344" in page
    assert "500.00" in page
    for kind in ("csv", "xlsx"):
        answer = clerk.get(f"{LIST}&format={kind}")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    told = {
        "refund": [refund.public_id, "re_nonsense"],
        "outcome": "done",
        "on": "2026-01-01",
        "bank_reference": "OUT1",
    }
    answer = clerk.post(LIST, told, follow=True)
    assert "1 marked." in text_of(answer)
    assert "Nothing is to be paid." in text_of(answer)
    assert state_of(refund) == "succeeded"


def test_a_large_refund_waits_and_cannot_be_chosen_again(office: Office) -> None:
    refund, clerk = ask_back(office, "90000", "60000"), staff(*PAYS)
    told = {"refund": refund.public_id, "outcome": "done", "on": "2026-01-01", "bank_reference": "OUT1"}
    page = clerk.post(LIST, told, follow=True)
    assert "a second person has to confirm" in text_of(page)
    assert refund.public_id not in page.content.decode().partition('type="checkbox"')[2].partition(">")[0]
    assert state_of(refund) == "pending"


def test_who_may_only_look_marks_nothing(office: Office) -> None:
    refund, viewer = ask_back(office, "1500", "500"), staff("majuu_payments.view_refund")
    assert viewer.post(LIST, {"refund": refund.public_id, "outcome": "done"}).status_code == 403
    assert staff().get(LIST).status_code == 403
    assert state_of(refund) == "pending"


def test_lists_cost_the_same_for_one_row_and_many(office: Office) -> None:
    maker, clerk = staff(*SEES, *DECIDES), staff(*PAYS)

    def cost(client: Client, path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    def add() -> None:
        charge = office.wait_for()
        maker.post(at(charge, "seen"), {"amount": "1500.00", "on": "2026-01-01", "bank_reference": "FT1"})

    sightings = "/console/majuu_payments/sighting/"
    add()
    ask_back(office, "1500", "1")
    before = cost(maker, sightings), cost(clerk, LIST)
    for number in range(5):
        add()
        ask_back(office, str(1600 + number), "1")
    assert (cost(maker, sightings), cost(clerk, LIST)) == before
    assert Sighting.objects.count() == Refund.objects.count() == 6


def test_a_mapping_is_tried_and_saved(db: None, virtual_clock: Any) -> None:
    office = Office(statement=None)
    client = staff("majuu_merchants.view_provideraccount", "majuu_merchants.change_provideraccount")
    entered = {
        **MAPPING,
        "description": "Narrative",
        "delimiter": "auto",
        "skip_rows": "0",
        "has_headings": "on",
        "decimal_sign": ".",
    }
    text = csv_of(("2026-01-12", "FT1", "K7Q-M3X-NP5", "1500.00", ""), ("soon", "FT2", "x", "5", ""))
    tried = client.post(at(office.account, "mapping"), {**entered, "try": "1", "file": _file(text)})
    page = text_of(tried)
    for part in ("K7Q-M3X-NP5", "1,500.00", "This is no date of the form YYYY-MM-DD", "FT1-260112-"):
        assert part in page
    assert saved_mapping(office.account) is None
    wrong = client.post(at(office.account, "mapping"), {**entered, "date": "Datum", "save": "1", "file": _file(text)})
    assert wrong.status_code == 422
    assert "lacks" in text_of(wrong)
    both = client.post(at(office.account, "mapping"), {**entered, "amount": "Amount", "save": "1"})
    assert "Name one column with the amount" in text_of(both)
    office.account.refresh_from_db()
    assert saved_mapping(office.account) is None
    client.post(at(office.account, "mapping"), {**entered, "save": "1"})
    office.account.refresh_from_db()
    saved = saved_mapping(office.account)
    assert saved is not None
    assert (saved.date, saved.credit, saved.description) == ("Date", "Money in", ("Narrative",))
    office.upload(csv_of(("2026-01-12", "FT1", "x", "5", "")))
    assert len(arrived()) == 1


def test_a_staged_statement_shows_its_first_rows(office: Office) -> None:
    staged = office.stage(csv_of(("2026-01-12", "FT1", "RENT JANUARY", "1500", "")))
    page = text_of(staff("majuu_reports.view_settlement").get(address_of(staged)))
    assert "The first rows as they are understood" in page
    assert "RENT JANUARY" in page


def test_the_command_imports_a_file(office: Office, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "january.csv"
    path.write_text(csv_of(("2026-01-12", "FT1", "RENT", "1500", ""), ("soon", "FT2", "x", "5", "")))
    call_command("majuu_import_statement", office.account.public_id, str(path), "--dry-run")
    assert arrived() == []
    call_command("majuu_import_statement", office.account.public_id, str(path))
    told = capsys.readouterr()
    assert "1 new, 0 changed, 0 known, 1 unreadable." in told.out
    assert "row 3, Date: This is no date" in told.err
    assert len(arrived()) == 1
    for arguments in (("pa_nonsense", str(path)), (office.account.public_id, str(tmp_path / "none.csv"))):
        with pytest.raises(CommandError):
            call_command("majuu_import_statement", *arguments)


def _file(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("statement.csv", text.encode())
