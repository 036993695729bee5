"""The whole way of a merchant, in a browser: register, verify, second factor, KYC, review, live key, charge."""

from __future__ import annotations

import json
import re
from base64 import b32decode
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from moneyed import Money

from majuu_core.console.cells import address_of
from majuu_core.merchants.invitations import invite
from majuu_core.merchants.kyc.letters import send_letters
from majuu_core.merchants.models import ApiKey, KycCase, Merchant, Store
from majuu_core.merchants.services import create_merchant, create_store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge
from majuu_core.testing.factories import make_api_key, make_provider_account, make_user
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.kyc import make_reviewer, small_pdf, small_picture
from majuu_core.webhooks.endpoints import create_webhook_endpoint, send_test_event
from tests.e2e.signing_in import sign_in_on

looks = pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
EMAIL, PASSWORD = "wanjiru@duka.example", "four unrelated words here"


def test_from_registration_to_a_live_payment(visit, live_server, monkeypatch) -> None:
    # The mock takes no live payments, so that no shop is paid with play money. Here it stands for a real provider.
    monkeypatch.setattr(FakeProvider, "_refuse_livemode", lambda self: None)
    visitor = visit(width=360)
    page = visitor.page
    _sign_up(visitor)
    _register(page)
    merchant = Merchant.objects.get(name="Duka la Wanjiru")
    base = f"/dashboard/{merchant.public_id}/"
    _set_up_second_factor(page)
    visitor.open(base)
    page.wait_for_selector("text=Open your first store")
    _fill_in(visitor, base)
    case = KycCase.objects.get(merchant=merchant)
    assert case.state == "submitted"

    _review(visit, case)
    merchant.refresh_from_db()
    assert merchant.status == "approved"
    send_letters()
    assert mail.outbox[-1].to == [EMAIL]

    visitor.open(base + "verification/")
    page.wait_for_selector("text=You can make live keys.")
    visitor.open(base + "stores/new/")
    page.fill("input[name=name]", "Duka Mtandaoni")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=The store is open.")
    make_provider_account(store=Store.objects.get(merchant=merchant), livemode=True)
    key = _make_live_key(visitor, base)
    charge = _pay(live_server.url, key)
    assert (charge.livemode, charge.status, charge.amount_received) == (True, "succeeded", Money("1500", "KES"))
    visitor.open(base + "payments/?mode=live")
    page.wait_for_selector("td .badge.good")
    visitor.open(base)
    page.wait_for_selector("text=1 payment")
    visitor.picture("merchant-way-end")
    assert visitor.complaints == []


@looks
def test_pages_fit_and_look_right(width, dark, visit) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    owner = make_user(email=EMAIL)
    merchant, names = _business(owner)
    visitor = visit(width=width, dark=dark)
    base = f"/dashboard/{merchant.public_id}/"
    sign_in_on(visitor, owner, base + "?mode=test")
    visitor.page.wait_for_selector("text=Paid today")
    for name, path in names.items():
        visitor.open(path if path.startswith("/") else base + path)
        assert visitor.fits(), name
        visitor.picture(f"dashboard-{name}-{look}")
    visitor.open(base + "keys/new/")
    visitor.page.click("main button[type=submit]")
    visitor.page.wait_for_selector("#secret")
    assert visitor.fits()
    visitor.picture(f"dashboard-secret-{look}")
    visitor.open(base + "keys/new/")
    visitor.page.select_option("select[name=kind]", "client")
    visitor.page.click("main button[type=submit]")
    visitor.page.wait_for_selector("text=The client's id is client_")
    assert visitor.fits()
    visitor.picture(f"dashboard-client-{look}")
    text = visitor.page.locator("main .card p").first
    assert text.evaluate("text => text.scrollWidth <= text.clientWidth"), "the client's id stands out of its card"
    visitor.page.click("text=I have kept it")
    visitor.page.wait_for_selector("dd:has-text('client_')")
    assert visitor.fits()
    visitor.picture(f"dashboard-client-kept-{look}")
    assert visitor.complaints == []


def test_it_works_without_scripts(visit) -> None:
    owner = make_user(email=EMAIL)
    merchant, _ = _business(owner)
    visitor = visit(width=360, scripts=False)
    sign_in_on(visitor, owner, f"/dashboard/{merchant.public_id}/stores/new/")
    visitor.page.fill("input[name=name]", "Second")
    visitor.page.click("main button[type=submit]")
    visitor.page.wait_for_selector("text=The store is open.")
    assert Store.objects.filter(merchant=merchant, name="Second").count() == 1


def _business(owner):
    merchant = create_merchant(name="Duka la Wanjiru", owner=owner)
    store = create_store(merchant=merchant, name="Duka Mtandaoni")
    make_provider_account(store=store)
    for number in range(3):
        wanted = IntentDetails(amount=Money("1500", "KES"), reference=f"order-100{number}", description="Shoes")
        intent = create_payment_intent(store=store, livemode=False, details=wanted)
        if number:
            confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))
    key = make_api_key(store=store).row
    endpoint = create_webhook_endpoint(store=store, livemode=False, url="https://shop.example.com/hooks/majuu").endpoint
    send_test_event(endpoint=endpoint)
    invite(merchant=merchant, email="a.rather.long.address@accountants.example.co.ke", role="finance")
    charge = Charge.objects.order_by("-pk")[0]
    return merchant, {
        "start": "/dashboard/?choose",
        "register": "/dashboard/new/",
        "overview": "",
        "payments": "payments/",
        "payment": f"payments/{charge.payment_intent.public_id}/",
        "refund": f"charges/{charge.public_id}/refund/",
        "disputes": "disputes/",
        "kyc": "verification/",
        "kyc-business": "verification/business/",
        "kyc-people": "verification/people/",
        "kyc-person": "verification/people/new/",
        "kyc-account": "verification/account/",
        "kyc-documents": "verification/documents/",
        "stores": "stores/",
        "keys": "keys/",
        "key": f"keys/{key.public_id}/",
        "key-new": "keys/new/",
        "key-rotate": f"keys/{key.public_id}/rotate/",
        "webhooks": "webhooks/",
        "webhook": f"webhooks/{endpoint.public_id}/",
        "team": "team/",
        "settings": "settings/",
    }


def _sign_up(visitor) -> None:
    page = visitor.page
    visitor.open("/accounts/signup/")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password1]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("text=Look into your mail")
    link = re.search(r"http://\S+(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    visitor.open(link[1])
    page.click("button[type=submit]")
    page.wait_for_selector("input[name=login]")
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")


def _register(page) -> None:
    page.wait_for_selector("text=Register your business")
    page.fill("input[name=name]", "Duka la Wanjiru")
    page.click("main button[type=submit]")


def _set_up_second_factor(page) -> None:
    """An owner is sent here before anything else."""
    page.click("text=Authenticator app")
    page.wait_for_selector(".qr")
    key = page.inner_text("code").replace(" ", "")
    page.fill("input[name=code]", _code(key))
    page.click("button[type=submit]")
    page.wait_for_selector("text=Make ten codes")
    assert TOTPDevice.objects.get().user.email == EMAIL


def _fill_in(visitor, base: str) -> None:
    page = visitor.page
    visitor.open(base + "verification/")
    page.click("text=Fill it in")
    page.select_option("select[name=legal_form]", "sole_proprietor")
    _fill(page, registered_name="Duka la Wanjiru", registration_number="BN-X7CQ2LM", tax_pin="A012345678Z")
    _fill(page, city="Nairobi", address="Moi Avenue 12")
    page.fill("textarea[name=description]", "Shoes, sold online.")
    _send(page)
    page.click("text=Add a person")
    _fill(page, name="Wanjiru Kamau", born_on="1988-05-17", id_number="24567891", share_percent="100")
    page.select_option("select[name=id_kind]", "national_id")
    page.check("input[name=is_owner]")
    _send(page)
    page.click("main >> text=Go on")
    page.select_option("select[name=settlement_kind]", "till")
    _fill(page, settlement_name="Duka la Wanjiru", settlement_account="521234")
    _send(page)
    for kind in ("registration", "tax_pin", "settlement"):
        _upload(page, kind, f"{kind}.pdf", "application/pdf", small_pdf(kind))
    page.select_option("select[name=person]", label="Wanjiru Kamau")
    _upload(page, "identity", "id.png", "image/png", small_picture())
    visitor.picture("merchant-way-documents")
    page.click("main >> text=Review and submit")
    page.click("text=Submit for review")
    page.wait_for_selector("text=We have your details")


def _upload(page, kind: str, name: str, mime: str, content: bytes) -> None:
    page.select_option("select[name=kind]", kind)
    page.set_input_files("input[name=file]", {"name": name, "mimeType": mime, "buffer": content})
    _send(page, "Upload")
    page.wait_for_selector(f"td:has-text('{name}')")


def _review(visit, case: KycCase) -> None:
    """A reviewer with a second factor takes the case, accepts its documents and approves it."""
    reviewer = make_reviewer()
    visitor = visit(width=1280)
    page = visitor.page
    sign_in_on(visitor, reviewer, address_of(case))
    page.wait_for_selector("text=Checklist")
    page.click("form[action$='/take/'] button")
    for number in range(case.documents.count()):
        page.locator("nav[aria-label=Documents] a").nth(number).click()
        page.click("text=Accept the document")
        page.wait_for_selector("text=Your answer is kept.")
    visitor.picture("merchant-way-review")
    page.click("form[action*='/approve/'] button")
    page.wait_for_selector("text=The case is now: Approved.")


def _make_live_key(visitor, base: str) -> str:
    page = visitor.page
    visitor.open(base + "keys/?mode=live")
    page.click("text=New live key")
    page.fill("input[name=name]", "The shop's server")
    _send(page)
    page.wait_for_selector("#secret")
    visitor.picture("merchant-way-live-key")
    key = str(page.inner_text("#secret"))
    assert key.startswith("sk_live_")
    assert ApiKey.objects.get().livemode is True
    return key


def _pay(url: str, key: str) -> Charge:
    """Charge with the key, as the shop's server does: over the API."""
    made = _call(url, key, "/api/v1/payment-intents", {"amount": "1500.00", "currency": "KES", "reference": "order-1"})
    paid = _call(url, key, f"/api/v1/payment-intents/{made['id']}/confirm", {"payment_method": "mock"})
    assert paid["status"] == "succeeded", paid
    return Charge.objects.get()


def _call(url: str, key: str, path: str, body: dict[str, str]) -> dict[str, str]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=15)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": path[-60:]}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    assert answer.status in (200, 201), found
    return found


def _fill(page, **values: str) -> None:
    for name, value in values.items():
        page.fill(f"input[name={name}]", value)


def _send(page, button: str = "") -> None:
    page.locator("main button[type=submit]", has_text=button).last.click()


def _code(key: str) -> str:
    totp = TOTP(b32decode(key + "=" * (-len(key) % 8)))
    return f"{totp.token():06d}"
