"""Who a business is: its case, the people behind it, their documents, and what was found and decided.

What would harm people in a stranger's hands is encrypted and bound to its row; kyc/sealing.py opens it.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_countries.fields import CountryField

from majuu_core.common import clock, ids
from majuu_core.database.public_ids import PublicIdMixin


class KycCase(PublicIdMixin, models.Model):
    """What a business says about itself and where its review stands. One case a business, for as long as it exists."""

    id_prefix = "kyc"
    objects: ClassVar[models.Manager[KycCase]]

    class State(models.TextChoices):
        DRAFT = "draft", "Being filled in"
        SUBMITTED = "submitted", "Waiting for a reviewer"
        IN_REVIEW = "in_review", "In review"
        SECOND_REVIEW = "second_review", "Waiting for a second reviewer"
        NEEDS_MORE = "needs_more", "More is needed"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        REVERIFICATION_DUE = "reverification_due", "To be confirmed again"

    class Risk(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"

    class LegalForm(models.TextChoices):
        SOLE_PROPRIETOR = "sole_proprietor", "Sole proprietor"
        PARTNERSHIP = "partnership", "Partnership"
        PRIVATE_COMPANY = "private_company", "Private limited company"
        PUBLIC_COMPANY = "public_company", "Public limited company"
        COOPERATIVE = "cooperative", "Cooperative or SACCO"
        NON_PROFIT = "non_profit", "NGO, society or trust"
        PUBLIC_BODY = "public_body", "Public body"
        FOREIGN_COMPANY = "foreign_company", "Foreign company"

    class Settlement(models.TextChoices):
        BANK = "bank", "Bank account"
        TILL = "till", "M-Pesa till"
        PAYBILL = "paybill", "M-Pesa paybill"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    merchant = models.OneToOneField("majuu_merchants.Merchant", on_delete=models.PROTECT, related_name="kyc_case")
    state = models.CharField(max_length=24, choices=State.choices, default=State.DRAFT)
    risk = models.CharField(max_length=8, choices=Risk.choices, default=Risk.NORMAL)
    legal_form = models.CharField(max_length=24, choices=LegalForm.choices, blank=True)
    registered_name = models.CharField(max_length=200, blank=True)
    registration_number = models.CharField(max_length=64, blank=True)
    tax_pin = models.CharField("KRA PIN", max_length=32, blank=True, help_text="In Kenya such as P051234567Z.")
    vat_number = models.CharField("VAT number", max_length=32, blank=True)
    address = models.CharField(max_length=300, blank=True, help_text="Where the business is to be found.")
    city = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = CountryField(default="KE")
    website = models.URLField(max_length=200, blank=True)
    description = models.TextField(max_length=2000, blank=True, help_text="What is sold, and to whom.")
    settlement_kind = models.CharField(max_length=8, choices=Settlement.choices, blank=True)
    settlement_bank = models.CharField(max_length=100, blank=True, help_text="The bank and its branch.")
    settlement_name = models.CharField(max_length=200, blank=True, help_text="Whose account it is.")
    settlement_account = models.TextField(blank=True, editable=False, help_text="Encrypted; bound to this row.")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    first_approver = models.CharField(max_length=80, blank=True, help_text="Who said the first of two yeses.")
    told = models.CharField(max_length=1000, blank=True, help_text="What the business was told last.")
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    screened_at = models.DateTimeField(null=True, blank=True)
    next_review_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "KYC case"
        permissions = [("review_kyccase", "Can review KYC cases and decide about them")]
        indexes = [
            models.Index(fields=["state", "submitted_at", "id"], name="majuu_kyc_queue"),
            models.Index(fields=["state", "next_review_on"], name="majuu_kyc_review_due"),
            models.Index(fields=["screened_at"], name="majuu_kyc_screened"),
        ]

    def __str__(self) -> str:
        return self.registered_name or self.public_id


class KycPerson(PublicIdMixin, models.Model):
    """Somebody behind a business. ``identity`` holds the birth date and the number of the document, encrypted."""

    id_prefix = "kyp"
    objects: ClassVar[models.Manager[KycPerson]]

    class IdKind(models.TextChoices):
        NATIONAL_ID = "national_id", "National identity card"
        PASSPORT = "passport", "Passport"
        ALIEN_ID = "alien_id", "Alien identity card"
        MILITARY_ID = "military_id", "Military identity card"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="people")
    name = models.CharField(max_length=200)
    is_director = models.BooleanField(default=False)
    is_owner = models.BooleanField(default=False)
    is_signatory = models.BooleanField(default=False)
    nationality = CountryField()
    id_kind = models.CharField(max_length=16, choices=IdKind.choices)
    identity = models.TextField(editable=False, help_text="Encrypted; bound to this row.")
    share_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "person of a KYC case"
        verbose_name_plural = "people of KYC cases"
        constraints = [
            models.CheckConstraint(
                condition=Q(share_percent__isnull=True) | Q(share_percent__gt=0, share_percent__lte=100),
                name="majuu_kyc_person_share",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def roles(self) -> str:
        """What they are in the business, for people to read."""
        held = (("director", self.is_director), ("owner", self.is_owner), ("signatory", self.is_signatory))
        return ", ".join(name for name, is_held in held if is_held)


class KycDocument(PublicIdMixin, models.Model):
    """One uploaded file, cleaned and encrypted; kyc/storage.py keeps its bytes under ``storage_name``."""

    id_prefix = "kyd"
    objects: ClassVar[models.Manager[KycDocument]]

    class Kind(models.TextChoices):
        REGISTRATION = "registration", "Certificate of registration or incorporation"
        TAX_PIN = "tax_pin", "KRA PIN certificate"
        OWNERSHIP = "ownership", "CR12 or list of owners"
        IDENTITY = "identity", "Identity document"
        ADDRESS = "address", "Proof of address"
        SETTLEMENT = "settlement", "Bank letter or till confirmation"
        LICENCE = "licence", "Licence"
        OTHER = "other", "Something else"

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn by the business"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="documents")
    person = models.ForeignKey(KycPerson, null=True, blank=True, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=200, help_text="As it was uploaded.")
    content_type = models.CharField(max_length=64, help_text="As its bytes say.")
    size = models.PositiveIntegerField(help_text="Bytes of the cleaned file.")
    sha256 = models.CharField(max_length=64, help_text="Of the cleaned file.")
    storage_name = models.CharField(max_length=64, unique=True, editable=False)
    file_key = models.TextField(editable=False, help_text="What opens the file. Encrypted; bound to this row.")
    state = models.CharField(max_length=16, choices=State.choices, default=State.UPLOADED)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "KYC document"

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"


class KycDecision(models.Model):
    """Something that was done to a case: who, when, why. The database refuses to change or remove it."""

    objects: ClassVar[models.Manager[KycDecision]]

    class Kind(models.TextChoices):
        SUBMITTED = "submitted", "Submitted"
        ASSIGNED = "assigned", "Assigned"
        ASKED_FOR_MORE = "asked_for_more", "Asked for more"
        NOTED = "noted", "Note"
        RISK_SET = "risk_set", "Risk set"
        FIRST_APPROVAL = "first_approval", "Approved by the first of two"
        SENT_BACK = "sent_back", "Sent back to the first reviewer"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        REOPENED = "reopened", "Opened again by the business"
        REVIEW_DUE = "review_due", "To be confirmed again"
        SCREENED = "screened", "Compared with sanctions lists"
        HIT_CLEARED = "hit_cleared", "Resemblance cleared"
        HIT_CONFIRMED = "hit_confirmed", "Resemblance confirmed"
        DOCUMENT_ACCEPTED = "document_accepted", "Document accepted"
        DOCUMENT_REFUSED = "document_refused", "Document refused"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    from_state = models.CharField(max_length=24, blank=True)
    to_state = models.CharField(max_length=24, blank=True)
    actor = models.CharField(max_length=80, help_text='Such as "user:12", or "system".')
    reason = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "KYC decision"
        indexes = [models.Index(fields=["case", "id"], name="majuu_kyc_decisions")]

    def __str__(self) -> str:
        return self.get_kind_display()


class KycHit(PublicIdMixin, models.Model):
    """A name of a case that resembles one on a sanctions list. Someone clears or confirms it, with a reason."""

    id_prefix = "kyh"
    objects: ClassVar[models.Manager[KycHit]]

    class State(models.TextChoices):
        OPEN = "open", "To be looked at"
        CLEARED = "cleared", "Somebody else"
        CONFIRMED = "confirmed", "The same"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="hits")
    person = models.ForeignKey(
        KycPerson, null=True, blank=True, on_delete=models.PROTECT, related_name="hits", help_text="None: the business."
    )
    list_code = models.CharField(max_length=64)
    entry_id = models.CharField(max_length=128)
    entry_name = models.CharField(max_length=300, help_text="The name on the list that resembles most.")
    entry_details = models.CharField(max_length=300, blank=True, help_text="Birth dates and countries on the list.")
    matched_name = models.CharField(max_length=300, help_text="The name in the case.")
    score = models.PositiveSmallIntegerField(help_text="0 to 100.")
    explanation = models.CharField(max_length=500, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="Changes when the list's entry or the name here changes.")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "sanctions hit"
        constraints = [
            models.UniqueConstraint(fields=["case", "fingerprint"], name="majuu_kyc_hit_once"),
            models.CheckConstraint(condition=Q(score__lte=100), name="majuu_kyc_hit_score"),
        ]

    def __str__(self) -> str:
        return f"{self.matched_name} / {self.entry_name}"


class KycLetter(models.Model):
    """A letter to the owners of a business that the worker sends. ``text`` was made when the step was taken."""

    objects: ClassVar[models.Manager[KycLetter]]

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    case = models.ForeignKey(KycCase, on_delete=models.PROTECT, related_name="letters")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "KYC letter"
        indexes = [models.Index(fields=["next_attempt_at"], name="majuu_kyc_letter_due")]

    def __str__(self) -> str:
        return self.subject


class LiveApproval(models.Model):
    """That a business may have live keys. Made only by approving it; without this row a live key cannot be stored.

    The row stays while a business is suspended: its keys are refused then, and work again when it is approved anew.
    """

    objects: ClassVar[models.Manager[LiveApproval]]

    merchant = models.OneToOneField(
        "majuu_merchants.Merchant", primary_key=True, on_delete=models.PROTECT, related_name="live_approval"
    )
    case = models.ForeignKey(
        KycCase, null=True, on_delete=models.PROTECT, related_name="+", help_text="None: approved without a case."
    )
    approved_by = models.CharField(max_length=80, help_text='Such as "user:12", or "system".')
    approved_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return str(self.merchant_id)
