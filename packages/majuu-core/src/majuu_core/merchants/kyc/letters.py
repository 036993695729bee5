"""What a business is told of its case: written down with the step, sent by the worker, tried again when that fails."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db.models import F
from django.template.loader import render_to_string

from majuu_core import configuration
from majuu_core.common import clock
from majuu_core.merchants.kyc_models import KycCase, KycLetter
from majuu_core.merchants.models import Membership

logger = logging.getLogger("majuu.kyc")

SUBJECTS = {
    "submitted": "We have received your business details",
    "needs_more": "We need something more to review your business",
    "approved": "Your business is approved",
    "rejected": "Your business was not approved",
    "due": "Please confirm your business details again",
}
_MOST = 100
_LEASE = timedelta(minutes=5)
_ATTEMPTS = 8


def write(case: KycCase, name: str, *, text: str = "") -> KycLetter:
    """Put a letter in the post, inside the transaction of the step. ``text`` is what the reviewer says to them."""
    context = {"case": case, "merchant": case.merchant, "text": text, "address": configuration.public_url()}
    return KycLetter.objects.create(
        case=case,
        subject=f"{SUBJECTS[name]}: {' '.join(case.merchant.name.split())}"[:200],
        text=render_to_string(f"majuu_merchants/kyc/{name}.txt", context).strip() + "\n",
    )


def send_letters() -> int:
    """Send what waits. Returns how many were sent. Two workers may do so at once: each letter is claimed first."""
    due = KycLetter.objects.filter(next_attempt_at__lte=clock.now()).order_by("next_attempt_at", "pk")
    return sum(_send(letter) for letter in due.select_related("case")[:_MOST])


def _send(letter: KycLetter) -> bool:
    now = clock.now()
    # Pushed ahead before it is sent: a crash means another try later, not a loop. Later and later, then never again.
    attempts = letter.attempts + 1
    again = now + _LEASE * 2 ** min(attempts - 1, 8) if attempts < _ATTEMPTS else None
    mine = KycLetter.objects.filter(pk=letter.pk, attempts=letter.attempts, next_attempt_at=letter.next_attempt_at)
    if not mine.update(attempts=F("attempts") + 1, next_attempt_at=again):
        return False
    try:
        for address in _addresses(letter.case):
            send_mail(letter.subject, letter.text, None, [address])
    except Exception:  # each mail backend has errors of its own
        logger.exception("a letter about %s cannot be sent (try %d)", letter.case.public_id, attempts)
        return False
    KycLetter.objects.filter(pk=letter.pk).update(sent_at=now, next_attempt_at=None)
    return True


def _addresses(case: KycCase) -> list[str]:
    owners = Membership.objects.filter(merchant_id=case.merchant_id, role=Membership.Role.OWNER, user__is_active=True)
    email = get_user_model().get_email_field_name()
    found = owners.order_by("pk").values_list(f"user__{email}", flat=True)
    return [address for address in dict.fromkeys(found) if address]
