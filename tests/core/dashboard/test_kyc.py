"""The verification, filled in by its owner."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from majuu_core.merchants.kyc.sealing import open_account
from majuu_core.merchants.models import KycCase, KycDocument
from majuu_core.testing.factories import make_merchant
from majuu_core.testing.kyc import BUSINESS, small_pdf, small_picture
from tests.core.dashboard.conftest import Business

PERSON = {
    "name": "Wanjiru Kamau",
    "nationality": "KE",
    "born_on": "1988-05-17",
    "id_kind": "national_id",
    "id_number": "24567891",
    "is_owner": "on",
    "share_percent": "100",
}


def new_business(business: Business) -> Business:
    business.merchant = make_merchant(name="New", owner=business.people["owner"], approved=False)
    return business


def upload(business: Business, kind: str, content: bytes, name: str, person: str = "") -> int:
    sent = {"kind": kind, "person": person, "file": SimpleUploadedFile(name, content)}
    return business.browser("owner").post(business.url("kyc_documents"), sent).status_code


def test_step_by_step_until_it_is_submitted(business: Business) -> None:
    new_business(business)
    browser = business.browser("owner")
    assert browser.post(business.url("kyc_act", "open"))["Location"] == business.url("kyc_business")
    assert browser.post(business.url("kyc_business"), BUSINESS)["Location"] == business.url("kyc_people")
    assert browser.post(business.url("kyc_person_new"), PERSON)["Location"] == business.url("kyc_people")
    assert browser.post(business.url("kyc_account"), BUSINESS)["Location"] == business.url("kyc_documents")
    case = KycCase.objects.get(merchant=business.merchant)
    assert open_account(case) == "521234"
    assert "521234" not in browser.get(business.url("kyc_account")).content.decode()
    browser.post(business.url("kyc_act", "submit"))
    case.refresh_from_db()
    assert case.state == "draft"  # without documents it is not taken
    for kind in ("registration", "tax_pin", "settlement"):
        assert upload(business, kind, small_pdf(kind), f"{kind}.pdf") == 302
    person = case.people.get()
    assert upload(business, "identity", small_picture(), "id.png", person.public_id) == 302
    assert "All that is needed is there" in browser.get(business.url("kyc")).content.decode()
    browser.post(business.url("kyc_act", "submit"))
    case.refresh_from_db()
    assert case.state == "submitted"
    assert set(case.documents.values_list("uploaded_by", flat=True)) == {business.people["owner"].pk}
    page = browser.get(business.url("kyc")).content.decode()
    assert "We have your details" in page
    assert "Submit for review" not in page


def test_what_is_wrong_is_said_beside_its_field(business: Business) -> None:
    new_business(business)
    answer = business.browser("owner").post(business.url("kyc_business"), BUSINESS | {"tax_pin": "12"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["tax_pin"] == [
        "A KRA PIN is A or P, nine digits and a letter, such as P051234567Z."
    ]
    assert KycCase.objects.get(merchant=business.merchant).tax_pin == ""


def test_a_file_that_is_none_of_those_is_refused(business: Business) -> None:
    new_business(business)
    assert upload(business, "registration", b"MZ\x90 a program", "registration.pdf") == 422
    assert KycDocument.objects.count() == 0


def test_a_person_is_changed_and_taken_out(business: Business) -> None:
    new_business(business)
    browser = business.browser("owner")
    browser.post(business.url("kyc_person_new"), PERSON)
    person = KycCase.objects.get(merchant=business.merchant).people.get()
    where = business.url("kyc_person", person.public_id)
    assert 'value="24567891"' in browser.get(where).content.decode()
    browser.post(where, PERSON | {"name": "Wanjiru N. Kamau"})
    person.refresh_from_db()
    assert person.name == "Wanjiru N. Kamau"
    browser.post(business.url("kyc_person_remove", person.public_id))
    assert KycCase.objects.get(merchant=business.merchant).people.filter(removed_at=None).count() == 0


def test_the_account_is_changed_only_right_after_the_second_factor(business: Business) -> None:
    new_business(business)
    answer = business.browser("owner", fresh=False).post(business.url("kyc_account"), BUSINESS)
    assert "/accounts/confirm/" in answer["Location"]
    assert KycCase.objects.filter(settlement_account="").count() == KycCase.objects.count()
