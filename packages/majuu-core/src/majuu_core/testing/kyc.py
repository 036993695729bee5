"""KYC cases for tests, made by the real services. Needs Django, a database and a place for documents."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission
from PIL import Image

from majuu_core.audit.services import Actor, acting_as
from majuu_core.merchants.kyc.cases import PersonDetails, open_case, save_business, save_person, submit
from majuu_core.merchants.kyc.documents import add_document
from majuu_core.merchants.kyc.review import judge_document, take
from majuu_core.merchants.models import KycCase, KycDocument, KycPerson, Merchant
from majuu_core.testing.factories import make_merchant, make_user

BUSINESS: dict[str, Any] = {
    "legal_form": "sole_proprietor",
    "registered_name": "Duka Moja Enterprises",
    "registration_number": "BN-X7CQ2LM",
    "tax_pin": "A012345678Z",
    "address": "Moi Avenue 12",
    "city": "Nairobi",
    "country": "KE",
    "description": "Shoes, sold online.",
    "settlement_kind": "till",
    "settlement_name": "Duka Moja Enterprises",
    "settlement_account": "521234",
}


def person_details(**changes: Any) -> PersonDetails:
    """An owner and director with all that is needed."""
    values: dict[str, Any] = {
        "name": "Wanjiru Kamau",
        "nationality": "KE",
        "id_kind": "national_id",
        "id_number": "24567891",
        "born_on": date(1988, 5, 17),
        "is_director": True,
        "is_owner": True,
        "share_percent": Decimal(100),
    }
    return PersonDetails(**(values | changes))


def make_case(*, merchant: Merchant | None = None, submitted: bool = False, **business: Any) -> KycCase:
    """A case of a new business with all it needs; handed in when ``submitted``."""
    case = open_case(merchant=merchant or make_merchant(approved=False, owner=make_user()))
    case = save_business(case=case, values=BUSINESS | business)
    person = save_person(case=case, details=person_details())
    for kind in (KycDocument.Kind.REGISTRATION, KycDocument.Kind.TAX_PIN, KycDocument.Kind.SETTLEMENT):
        add_document(case=case, kind=kind, name=f"{kind.value}.pdf", content=small_pdf(str(kind.label)))
    add_document(case=case, kind=KycDocument.Kind.IDENTITY, name="id.png", content=small_picture(), person=person)
    return submit(case=case) if submitted else KycCase.objects.get(pk=case.pk)


def make_reviewer(**fields: Any) -> Any:
    """A member of staff who may review cases."""
    user = make_user(is_staff=True, **fields)
    wanted = ("view_kyccase", "review_kyccase")
    user.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="majuu_merchants", codename__in=wanted)
    )
    return user


@contextmanager
def acting(user: Any) -> Iterator[None]:
    """Everything inside is done by this user."""
    with acting_as(Actor(type="user", id=str(user.pk))):
        yield


def accept_documents(case: KycCase, reviewer: Any) -> KycCase:
    """Let the reviewer take the case and accept all its documents."""
    with acting(reviewer):
        taken = take(case=case)
        for document in taken.documents.exclude(state=KycDocument.State.WITHDRAWN):
            judge_document(document=document, accept=True)
    return taken


def only_person(case: KycCase) -> KycPerson:
    """The one person in the case."""
    return case.people.get()


def small_picture(kind: str = "PNG", **saved_with: Any) -> bytes:
    """A picture of 8 by 8 points."""
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(written, kind, **saved_with)
    return written.getvalue()


def small_pdf(text: str = "Majuu", *, extra: str = "") -> bytes:
    """A PDF of one page that says ``text``; ``extra`` is put into its catalogue."""
    page = f"BT /F1 18 Tf 40 120 Td ({text}) Tj ET"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {extra} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 200] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{item}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"xref\n0 5\n0000000000 65535 f \n{table}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return (body + end).encode("latin-1")
