"""Who did what, to what, from where. Rows are only ever added; triggers refuse the rest.

Entries are written by the actions they record. What proves that they stayed as they were is written later and stands in
rows of its own: seals (``sealing``) and anchors (``anchors``).
"""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin

PLATFORM = "platform"
CHAIN_LENGTH = 36
HASH_LENGTH = 64


class AuditEntry(PublicIdMixin, models.Model):
    """One action. ``merchant_id`` is empty for the platform's own. Stored ids, because this room lies below all."""

    id_prefix = "aud"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    merchant_id = models.UUIDField(null=True)
    store_id = models.UUIDField(null=True)
    actor_type = models.CharField(
        max_length=16, help_text='"user", "key", "client", "customer", "provider" or "system".'
    )
    actor_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    changes = models.JSONField(default=dict, help_text="Before and after of named fields.")
    remote_addr = models.CharField(max_length=45, blank=True, help_text="Of machines; a person's is in personal.")
    personal = models.JSONField(default=dict, help_text="By field: the id of a subject's key, and the ciphertext.")
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["merchant_id", "-id"], name="majuu_audit_by_merchant"),
            models.Index(fields=["object_id"], name="majuu_audit_by_object"),
        ]
        permissions = [("view_personal_data", "Can see addresses and other personal data in the audit trail")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"


class AuditSubjectKey(models.Model):
    """The key of one person's data in the trail. Deleting the row erases that data; the chain stays as it is.

    A subject may have several: two transactions that both meet a new one do not wait for each other.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    subject = models.CharField(max_length=HASH_LENGTH, db_index=True, help_text="Keyed hash of who it is.")
    sealed = models.TextField(help_text="Who it is, and the key, under the site's master keys.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return str(self.pk)


class AuditChain(models.Model):
    """A merchant's entries, or the platform's own. The row is what a worker locks while it seals; it holds nothing."""

    name = models.CharField(primary_key=True, max_length=CHAIN_LENGTH, help_text='A merchant\'s UUID, or "platform".')

    def __str__(self) -> str:
        return self.name


class AuditSeal(models.Model):
    """An entry's place in its chain. ``hash`` covers the entry, the place, and the hash of the seal before it.

    No foreign key: a seal outlives an entry that was removed, so that the removal is found.
    """

    chain = models.CharField(max_length=CHAIN_LENGTH)
    sequence = models.PositiveBigIntegerField(help_text="From 1, without gaps.")
    entry = models.OneToOneField(AuditEntry, models.DO_NOTHING, db_constraint=False, related_name="seal")
    hash = models.CharField(max_length=HASH_LENGTH)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="majuu_audit_place_in_chain")]

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}"


class AuditAnchor(models.Model):
    """The heads of all chains at one moment, signed. ``body`` is what was signed, to the letter."""

    number = models.PositiveBigIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    sealed = models.PositiveBigIntegerField(help_text="How many entries all chains held.")
    body = models.TextField()
    signature = models.CharField(max_length=128)

    def __str__(self) -> str:
        return f"Anchor {self.number}"


class AuditAnchorDelivery(models.Model):
    """An anchor reached a place outside this database."""

    anchor = models.ForeignKey(AuditAnchor, models.CASCADE, related_name="deliveries")
    destination = models.CharField(max_length=16)
    delivered_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "audit anchor deliveries"
        constraints = [models.UniqueConstraint(fields=["anchor", "destination"], name="majuu_audit_delivered_once")]

    def __str__(self) -> str:
        return f"{self.anchor_id} {self.destination}"
