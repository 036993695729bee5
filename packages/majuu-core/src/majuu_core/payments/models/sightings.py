"""What a person has seen at a bank or in a till, and what a second person says to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.payments.models.charges import Charge
from majuu_core.payments.models.fields import money_field
from majuu_core.payments.models.outgoing import Refund


class Sighting(PublicIdMixin, models.Model):
    """Somebody says that the money of a charge came, or that a refund was paid out. It counts once another confirms.

    ``open_key`` names the charge or refund while it waits and is NULL afterwards: one at a time, on every database.
    """

    id_prefix = "sgt"
    objects: ClassVar[models.Manager[Sighting]]
    if TYPE_CHECKING:
        currency: str

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for a second person"
        CONFIRMED = "confirmed", "Confirmed"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    livemode = models.BooleanField()
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="sightings")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="sightings")
    amount = money_field()
    seen_on = models.DateField(help_text="The bank's day, or when the cash was handed over.")
    bank_reference = models.CharField(max_length=80, blank=True, help_text="The bank's number, or of a receipt.")
    note = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    open_key = models.CharField(max_length=64, null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=80, help_text="Who saw it.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    decided_by = models.CharField(max_length=80, blank=True, help_text="The second person.")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["open_key"], name="majuu_sighting_open_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="majuu_sighting_amount_positive"),
            models.CheckConstraint(
                condition=Q(charge__isnull=False, refund__isnull=True) | Q(charge__isnull=True, refund__isnull=False),
                name="majuu_sighting_of_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["status", "-id"], name="majuu_sighting_by_status")]

    def __str__(self) -> str:
        return f"{self.amount} on {self.seen_on}"
