"""A button on a payment intent's page: the QR code a customer scans to pay it."""

from __future__ import annotations

import base64
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.views.decorators.http import require_POST

from majuu_core.accounts.trail import acting_user
from majuu_core.common.problems import Problem
from majuu_core.console.base import PageAction, ReadOnlyAdmin
from majuu_core.console.cells import address_of, money_cell
from majuu_core.payments.models import PaymentIntent
from majuu_core.payments.qr_codes import make_intent_qr_code
from majuu_core.payments.transitions import FINAL_INTENT

MAY_MAKE = "majuu_payments.change_charge"


class QrCodeAction(ReadOnlyAdmin):
    """Makes a QR code and shows it. Nothing is stored."""

    def get_urls(self) -> list[URLPattern]:
        return [self.action_path("qr_code", require_POST(self.qr_code)), *super().get_urls()]

    def page_actions(self, request: HttpRequest, row: Any) -> list[PageAction]:
        found = super().page_actions(request, row)
        if row.status in FINAL_INTENT or row.is_parked or not request.user.has_perm(MAY_MAKE):
            return found
        address = reverse("console:majuu_payments_paymentintent_qr_code", args=[row.public_id])
        text = "A picture that the customer scans with the provider's app to pay what remains."
        return [*found, PageAction(label="Make a QR code", address=address, explanation=text, icon="qr_code_2")]

    def qr_code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the code."""
        if not request.user.has_perm(MAY_MAKE):
            raise PermissionDenied
        intent: PaymentIntent | None = self.get_object(request, self.plain_id(object_id))
        if intent is None:
            raise Http404
        try:
            with acting_user(request):
                made = make_intent_qr_code(intent=intent)
        except Problem as problem:
            messages.error(request, str(problem))
            return HttpResponseRedirect(address_of(intent))
        context = {
            **self.admin_site.each_context(request),
            "title": "QR code",
            "majuu_back": address_of(intent),
            "majuu_intent": intent,
            "majuu_picture": base64.b64encode(made.code.png).decode(),
            "majuu_reference": made.request.reference,
            "majuu_amount": money_cell(made.request.amount),
            "majuu_merchant": made.request.merchant_name,
        }
        return TemplateResponse(request, "majuu_console/qr_code.html", context)
