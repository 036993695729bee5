"""Something that staff should look at, from the moment it is seen until it is over."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.models import ProviderAccount


class Alert(PublicIdMixin, models.Model):
    """One trouble. Of one kind and subject one is open at most: ``open_key`` names them, NULL once it is over."""

    id_prefix = "al"

    class Kind(models.TextChoices):
        LOW_BALANCE = "low_balance", "Low balance"
        CALLBACK_SILENCE = "callback_silence", "No callbacks"
        PARKED = "parked", "Waiting for a person"
        UNHEALTHY = "unhealthy", "Credentials refused"
        NO_ANSWER = "no_answer", "Provider does not answer"
        LAPSING = "lapsing", "Authorization about to lapse"
        DISPUTE_DUE = "dispute_due", "Dispute to answer"
        ANCHOR = "anchor", "Audit anchor failed"
        DISPUTE_UNKNOWN = "dispute_unknown", "Dispute of an unknown payment"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    subject = models.CharField(max_length=150, help_text="What it is about: a public id, or a word with a mode.")
    open_key = models.CharField(max_length=190, null=True, unique=True, editable=False)
    livemode = models.BooleanField()
    provider_account = models.ForeignKey(ProviderAccount, null=True, on_delete=models.PROTECT, related_name="alerts")
    title = models.CharField(max_length=200)
    detail = models.CharField(max_length=1000, help_text="What was seen and what to do.")
    raised_at = models.DateTimeField(default=clock.now, editable=False)
    mailed_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether the trouble is not over yet."""
        return self.open_key is not None
