"""A person's data: found wherever it is, exported whole, erased but for what must stay; amounts never change."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import connection
from moneyed import Money

from majuu_core.accounts.models import Profile, UserSession
from majuu_core.audit.models import AuditEntry, AuditSubjectKey
from majuu_core.audit.personal import ERASED
from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.events.models import Event
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.invitations import invite
from majuu_core.merchants.services import add_member
from majuu_core.payments.customers import CustomerDetails, create_customer
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge, Customer, IncomingPayment, PaymentIntent, ProviderCall
from majuu_core.plugins import hookimpl
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord
from majuu_core.privacy.holds import SEALED, holds_on, place_hold, release_hold
from majuu_core.privacy.identities import identify, spellings
from majuu_core.privacy.models import RetentionHold
from majuu_core.privacy.services import erase_person, export_person, look_up
from majuu_core.testing.audit import address_in, changes_in
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import enrol
from majuu_core.webhooks.models import InboundWebhook
from tests.core.audit.trail import exported, seal_all, wrong
from tests.core.payments.arrivals import save_incoming
from tests.core.payments.dispute_support import disputed_at_mock
from tests.core.payments.support import Till

JANE, PHONE = "jane@example.com", "254712345678"
EIGHT_YEARS = timedelta(days=8 * 365)


def pay(till: Till, **details: Any) -> tuple[PaymentIntent, Charge]:
    """A payment of Jane's that has arrived, every message of it named after her."""
    details = {"customer_email": JANE, "customer_phone": "0712345678", "metadata": {"seat": "12"}} | details
    intent, charge = till.pay_new("1500", **details)
    Charge.objects.filter(pk=charge.pk).update(payer=PHONE)
    Event.objects.update(dispatched_at=clock.now())
    InboundWebhook.objects.create(
        provider_account=till.account, charge=charge, method="POST", path="/in", body=b'{"name":"JANE"}', remote_addr=""
    )
    ProviderCall.objects.create(
        provider_account=till.account,
        charge=charge,
        operation="sale",
        method="POST",
        url="https://x",
        request_body=f"phone={PHONE}",
        started_at=clock.now(),
        duration_ms=1,
    )
    return intent, charge


def everything() -> str:
    """All tables of the database, as one text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("majuu_", "auth_user", "account_")):
                cursor.execute(f"SELECT * FROM {table}")
                found.append(str([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor]))
    return "".join(found)


@pytest.mark.parametrize("text", ["0712345678", "+254 712 345 678", "254712345678", "00254712345678"])
def test_a_number_is_known_in_every_spelling(text: str) -> None:
    """given one telephone number / when written in four ways / then it is the same person."""
    assert spellings(text) == {"254712345678", "+254712345678", "0712345678", "712345678"}


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "jane", "12", "cus", "user:x"])
def test_what_names_nobody_is_refused(text: str) -> None:
    """given a text that is neither address, number nor id / when looked up / then refused, with the field."""
    with pytest.raises(Invalid) as problem:
        look_up(text)
    assert (problem.value.code, problem.value.field) == ("person_unknown", "person")


def test_an_account_leads_to_its_numbers_and_customers(till: Till) -> None:
    """given a user, their profile and a customer with their address / when asked by any / then the same person."""
    user = make_user(email=JANE)
    Profile.objects.create(user=user, phone=f"+{PHONE}")
    customer = create_customer(store=till.store, livemode=False, details=CustomerDetails(email="Jane@Example.com"))
    other = create_customer(store=till.store, livemode=False, details=CustomerDetails(email="joe@example.com"))
    whole = Identity(
        emails=frozenset({JANE}),
        phones=spellings(PHONE),
        user_ids=frozenset({str(user.pk)}),
        customer_ids=frozenset({customer.public_id}),
    )
    for text in (JANE, f"+{PHONE}", f"user:{user.pk}", customer.public_id):
        assert identify(text) == whole, text
    assert other.public_id not in whole.customer_ids


def test_an_export_holds_everything_and_is_audited(till: Till) -> None:
    """given a customer who paid / when exported / then customer, payment, charge, messages and events are in it."""
    create_customer(store=till.store, livemode=False, details=CustomerDetails(email=JANE, name="Jane"))
    intent, charge = pay(till)
    incoming = save_incoming(till.account, payer_phone=PHONE, payer_name="JANE DOE")
    document = export_person(JANE.upper())
    assert (document["format"], document["known_by"]["emails"]) == ("majuu-person-1", [JANE])
    kinds = {record["kind"] for record in document["records"]}
    assert kinds == {"Customer", "Payment", "Charge", "Message from a provider", "Call to a provider", "Event"}
    shown = {record["id"]: record for record in document["records"]}
    assert shown[intent.public_id]["data"]["customer_phone"] == "0712345678"
    assert shown[charge.public_id]["kept_because"] == "Payments are kept for 2557 days (MAJUU_RETENTION)."
    assert {row["action"] for row in document["audit"]} >= {"customer.created", "payment_intent.created"}
    by_phone = {record["id"] for record in export_person(PHONE)["records"]}
    assert {incoming.public_id, intent.public_id} <= by_phone
    entry = AuditEntry.objects.filter(action="person.exported").earliest("pk")
    assert entry.changes == {"records": len(document["records"])}
    assert changes_in(entry)["person"] == JANE.upper()


def test_what_the_law_keeps_is_kept_and_said(till: Till) -> None:
    """given a customer who paid today / when erased / then the customer goes, the payment stays until a date."""
    customer = create_customer(store=till.store, livemode=False, details=CustomerDetails(email=JANE, name="Jane"))
    intent, charge = pay(till)
    report = erase_person(JANE)
    customer.refresh_from_db()
    intent.refresh_from_db()
    assert (customer.name, customer.email, customer.reference) == ("", "", None)
    assert intent.customer_email == JANE
    kept = {verdict.record.id: verdict for verdict in report.kept}
    assert kept[intent.public_id].until == charge.created_at + timedelta(days=2557)
    assert kept[charge.public_id].kept == kept[intent.public_id].kept
    assert report.erased["payments.customers"] == 1
    assert "payments.payments" not in report.erased


def test_after_its_time_everything_goes_and_the_books_stay(till: Till, virtual_clock: VirtualClock) -> None:
    """given payments of eight years ago / when erased / then no trace is left, the books are as before."""
    user = make_user(email=JANE, first_name="Jane", last_name="Doe")
    EmailAddress.objects.create(user=user, email=JANE, verified=True)
    Profile.objects.create(user=user, phone=f"+{PHONE}")
    enrol(user)
    with acting_as(Actor(type="user", id=str(user.pk), remote_addr="198.51.100.7")):
        entry = record_entry(action="merchant.updated", object_id="mer_1", changes={"email": [None, JANE]})
        intent, _ = pay(till, description="Ticket of Jane")
    incoming = save_incoming(
        till.account, payer_phone=PHONE, payer_name="JANE DOE", raw="JANE", account_reference=PHONE
    )
    seal_all()
    books = till.books()
    virtual_clock.advance(EIGHT_YEARS)

    report = erase_person(JANE)

    left = everything().lower()
    assert [text for text in ("jane", "712345678", "198.51.100.7") if text in left] == []
    assert report.kept == ()
    user.refresh_from_db()
    assert (user.username, user.is_active, user.has_usable_password()) == (f"erased-{user.pk}", False, False)
    intent.refresh_from_db()
    incoming.refresh_from_db()
    assert (intent.amount, intent.amount_received, intent.status) == (
        Money(1500, "KES"),
        Money(1500, "KES"),
        "succeeded",
    )
    assert incoming.amount == Money(1500, "KES")
    assert till.books() == books
    assert list(find_problems()) == []
    assert wrong(exported()) == []
    assert address_in(AuditEntry.objects.get(pk=entry.pk)) == ERASED
    assert erase_person(JANE).erased == {}


def test_a_payment_under_way_and_one_that_never_came(till: Till) -> None:
    """given an open order and a canceled one without money / when erased / then the first stays, the second goes."""
    waiting = till.intent("10", customer_email=JANE)
    gone = cancel_payment_intent(intent=till.intent("10", customer_email=JANE, customer_phone=PHONE))
    report = erase_person(JANE)
    waiting.refresh_from_db()
    gone.refresh_from_db()
    assert (waiting.customer_email, gone.customer_email, gone.customer_phone) == (JANE, "", "")
    assert (waiting.customer_email_key, gone.customer_email_key, gone.customer_phone_key) == (JANE, "", "")
    assert [verdict.kept for verdict in report.kept if verdict.record.kind == "Payment"] == ["It is still under way."]


def test_an_open_dispute_stops_everything(till: Till, virtual_clock: VirtualClock) -> None:
    """given a payment that is disputed / when its payer is to be erased / then refused, named, and nothing changed."""
    dispute = disputed_at_mock(till, virtual_clock)
    PaymentIntent.objects.filter(pk=dispute.charge.payment_intent_id).update(customer_email=JANE)
    customer = create_customer(store=till.store, livemode=False, details=CustomerDetails(email=JANE, name="Jane"))
    before = everything()
    with pytest.raises(Conflict) as problem:
        erase_person(JANE)
    assert problem.value.code == "person_on_hold"
    assert f"The dispute {dispute.public_id} is open." in problem.value.message
    assert everything() == before
    customer.refresh_from_db()
    assert customer.name == "Jane"


def test_a_hold_stops_everything_until_it_is_released(till: Till) -> None:
    """given a hold under the number of somebody known by address too / when erased / then refused until released."""
    user = make_user(email=JANE)
    Profile.objects.create(user=user, phone=f"+{PHONE}")
    hold = place_hold(person=PHONE, reason="Milimani court, MISC 12/2026")
    assert PHONE not in everything().replace(f"+{PHONE}", "")  # encrypted; the profile has it with a plus
    with pytest.raises(Conflict, match="Milimani court"):
        erase_person(JANE)
    assert holds_on(identify("joe@example.com")) == []
    release_hold(public_id=hold.public_id)
    release_hold(public_id=hold.public_id)
    hold.refresh_from_db()
    assert (hold.person, hold.released_by) == ("", "system")
    assert erase_person(JANE).erased == {"accounts.users": 1}
    actions = AuditEntry.objects.filter(action__startswith="retention_hold.").values_list("action", flat=True)
    assert sorted(actions) == ["retention_hold.placed", "retention_hold.released"]


@pytest.mark.django_db
def test_a_hold_needs_a_reason_and_a_person(settings: Any) -> None:
    """given no reason, no person, no such hold / when placed and released / then refused, and none stands."""
    for person, reason in ((JANE, " "), ("nobody", "because"), (JANE, "x" * 256)):
        with pytest.raises(Invalid):
            place_hold(person=person, reason=reason)
    for name in ("hold_nonsense", "x", RetentionHold().public_id):
        with pytest.raises(NotFound):
            release_hold(public_id=name)
    assert RetentionHold.objects.count() == 0


@pytest.mark.django_db
def test_holds_move_to_a_new_master_key(settings: Any) -> None:
    """given a hold / when keys rotate and the old one is dropped / then it still stands against its person."""
    place_hold(person=JANE, reason="court")
    old, new = settings.MAJUU_ENCRYPTION_KEYS[0], "another-master-key-0123456789abcdefghij"
    settings.MAJUU_ENCRYPTION_KEYS = [new, old]
    assert SEALED.reseal().resealed == 1
    settings.MAJUU_ENCRYPTION_KEYS = [new]
    assert [hold.reason for hold in holds_on(identify(JANE))] == ["court"]


def test_sessions_and_invitations_go_with_the_account(till: Till) -> None:
    """given a user with a session, and invitations / when erased / then no address of theirs is left in either."""
    user, later = make_user(email=JANE), clock.now() + timedelta(days=1)
    UserSession.objects.create(
        user=user, kind="browser", session_key="k", address="197.232.1.7", user_agent="Firefox", expires_at=later
    )
    invitation = invite(merchant=till.store.merchant, email=JANE, role="viewer").invitation
    other = invite(merchant=till.store.merchant, email="joe@example.com", role="viewer").invitation
    shown = {record["kind"]: record["data"] for record in export_person(JANE)["records"]}
    assert (shown["Account"]["sessions"][0]["address"], shown["Invitation"]["email"]) == ("197.232.1.7", JANE)
    assert erase_person(JANE).erased == {"accounts.users": 1, "merchants.invitations": 1}
    assert not UserSession.objects.filter(user=user).exists()
    for row in (invitation, other):
        row.refresh_from_db()
    assert (invitation.email, invitation.revoked_at is not None) == ("", True)
    assert (other.email, other.revoked_at) == ("joe@example.com", None)


def test_staff_and_members_stay_until_they_have_left(till: Till) -> None:
    """given somebody who works here and one who owns a business / when erased / then kept, and told why."""
    clerk, owner = make_user(email=JANE, is_staff=True), make_user(email="joe@example.com")
    add_member(merchant=till.store.merchant, user=owner, role="owner")
    for user, why in ((clerk, "They work here"), (owner, "They belong to a business")):
        report = erase_person(user.email)
        assert [verdict.kept[: len(why)] for verdict in report.kept] == [why]
        email = user.email
        user.refresh_from_db()
        assert (user.email, user.is_active) == (email, True)


def test_retention_is_a_setting(till: Till, settings: Any) -> None:
    """given no retention / when erased / then payments and messages go at once."""
    settings.MAJUU_RETENTION = {"payments": timedelta(0), "messages": timedelta(0)}
    intent, _ = pay(till)
    report = erase_person(JANE)
    assert report.kept == ()
    assert {"payments.payments": 2, "webhooks.messages": 1, "webhooks.calls": 1}.items() <= report.erased.items()
    intent.refresh_from_db()
    assert (intent.customer_email, intent.metadata) == ("", {})
    assert bytes(InboundWebhook.objects.get().body) == b""


class Parcels:
    """A plugin that knows people: its rows are erased through the hook, kept when they follow what is kept."""

    def __init__(self) -> None:
        self.erased: list[str] = []

    def find(self, identity: Identity, related: frozenset[str]) -> list[PersonalRecord]:
        intents = sorted(name for name in related if name.startswith("pi_"))
        own = [PersonalRecord(id="box_1", kind="Parcel", data={"to": "Jane"})] if JANE in identity.emails else []
        return own + [PersonalRecord(id="box_2", kind="Parcel", follows=name) for name in intents]

    def erase(self, names: Any) -> int:
        self.erased += names
        return len(names)

    @hookimpl
    def register_personal_data(self) -> list[PersonalData]:
        return [PersonalData(name="parcels.boxes", label="Parcels", find=self.find, erase=self.erase)]


def test_a_plugins_rows_are_found_exported_and_erased(till: Till, temporary_plugin: Callable[[object], object]) -> None:
    """given a plugin that knows the person / when exported and erased / then its rows too, but for what must stay."""
    parcels = Parcels()
    temporary_plugin(parcels)
    pay(till)
    records = {record["id"]: record for record in export_person(JANE)["records"]}
    assert records["box_1"]["data"] == {"to": "Jane"}
    report = erase_person(JANE)
    assert parcels.erased == ["box_1"]
    assert report.erased["parcels.boxes"] == 1
    assert "box_2" in {verdict.record.id for verdict in report.kept}
    with pytest.raises(ValueError, match=r"parcels\.boxes"):
        PersonalData(name="Boxes", label="", find=parcels.find, erase=parcels.erase)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("majuu_person", *arguments, stdout=out)
    return out.getvalue()


def test_the_command(till: Till, tmp_path: Path) -> None:
    """given a payer / when shown, exported, held, released and erased by command / then each does what it says."""
    create_customer(store=till.store, livemode=False, details=CustomerDetails(email=JANE, name="Jane"))
    pay(till)
    shown = run("show", JANE)
    assert "May be erased: Customer cus_" in shown
    assert "Kept until " in shown
    for name in ("jane.json", "jane.zip"):
        assert "records written to" in run("export", JANE, "--to", str(tmp_path / name))
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    document = json.loads((tmp_path / "jane.json").read_text())
    with zipfile.ZipFile(tmp_path / "jane.zip") as archive:
        assert json.loads(archive.read("person.json"))["records"][0] == document["records"][0]
        assert {"customer.json", "payment.json", "charge.json"} <= set(archive.namelist())
    with pytest.raises(CommandError, match="cannot be written"):
        run("export", JANE, "--to", str(tmp_path / "jane.zip"))
    with pytest.raises(CommandError, match="e-mail address"):
        run("export", "nobody", "--to", str(tmp_path / "nobody.json"))
    assert not (tmp_path / "nobody.json").exists()
    hold = run("hold", JANE, "--reason", "court").split()[0]
    assert f"{hold} since" in run("holds")
    with pytest.raises(CommandError, match="court"):
        run("erase", JANE, "--yes")
    run("release", hold)
    with pytest.raises(CommandError, match="--yes"):
        run("erase", JANE)
    assert Customer.objects.get().name == "Jane"
    assert "Erased: 1 in payments.customers." in run("erase", JANE, "--yes")
    assert Customer.objects.get().name == ""


def test_keys_of_what_is_kept_are_kept(till: Till) -> None:
    """given entries about a customer and about a payment that stays / when erased / then the customer's key goes."""
    customer = create_customer(
        store=till.store, livemode=False, details=CustomerDetails(email=JANE, reference="jane-17")
    )
    intent, _ = pay(till)
    kept = record_entry(action="payment_intent.parked", object_id=intent.public_id, changes={"payer": PHONE})
    assert AuditSubjectKey.objects.count() == 2
    assert erase_person(JANE).audit_keys == 1
    assert changes_in(kept)["payer"] == PHONE
    created = AuditEntry.objects.get(action="customer.created", object_id=customer.public_id)
    assert changes_in(created)["reference"] == ERASED


def test_the_same_number_of_queries_for_one_record_and_twenty(till: Till, django_assert_max_num_queries: Any) -> None:
    """given one incoming payment, then twenty / when looked up / then the same number of queries."""
    from django.test.utils import CaptureQueriesContext

    counts = []
    for more in (1, 19):
        for _ in range(more):
            save_incoming(till.account, payer_phone=PHONE)
        with CaptureQueriesContext(connection) as seen:
            look_up(PHONE)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert IncomingPayment.objects.count() == 20
