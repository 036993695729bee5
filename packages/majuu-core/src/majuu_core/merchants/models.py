"""Who gets paid: merchants, their stores, the people, the keys, and the accounts at providers."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_countries.fields import CountryField

from majuu_core.common import clock, ids
from majuu_core.common.money import CURRENCY_CHOICES
from majuu_core.database.public_ids import PublicIdMixin
from majuu_core.merchants.client_token_models import ClientToken
from majuu_core.merchants.invitation_models import Invitation
from majuu_core.merchants.key_usage_models import ApiKeyAddress, ApiKeyMonth, ApiKeyUsage
from majuu_core.merchants.kyc_models import (
    KycCase,
    KycDecision,
    KycDocument,
    KycHit,
    KycLetter,
    KycPerson,
    LiveApproval,
)

__all__ = [
    "ApiKey",
    "ApiKeyAddress",
    "ApiKeyMonth",
    "ApiKeyUsage",
    "ClientToken",
    "Invitation",
    "KycCase",
    "KycDecision",
    "KycDocument",
    "KycHit",
    "KycLetter",
    "KycPerson",
    "LiveApproval",
    "Membership",
    "Merchant",
    "ProviderAccount",
    "Store",
]


class Merchant(PublicIdMixin, models.Model):
    """The business that gets paid. Only an approved one may take live payments."""

    id_prefix = "mer"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending review"
        APPROVED = "approved", "Approved"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    name = models.CharField(max_length=200)
    country = CountryField(default="KE")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    is_system = models.BooleanField(default=False, help_text="Belongs to the platform itself; nobody can join it.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name


class Store(PublicIdMixin, models.Model):
    """One point of sale of a merchant. Keys, webhooks and records belong to a store."""

    id_prefix = "sto"

    class LateSuccess(models.TextChoices):
        SUCCEED = "succeed", "The intent succeeds"
        PARK = "park", "Park it for a refund decision"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="stores")
    name = models.CharField(max_length=200)
    code = models.SlugField(max_length=64, unique=True)
    default_currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES, default="KES")
    late_success = models.CharField(
        max_length=16,
        choices=LateSuccess.choices,
        default=LateSuccess.SUCCEED,
        help_text="What happens when money arrives after an intent expired or was canceled.",
    )
    account_prefix = models.CharField(
        max_length=8,
        null=True,
        blank=True,
        unique=True,
        help_text="What account references of this store begin with on a shared paybill, such as DUKA.",
    )
    auto_claim_score = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Suggestions with at least this score (50 to 100) are claimed without asking; empty: none.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            # Live keys point at (id, merchant), so that a key can never use another business's approval.
            models.UniqueConstraint(fields=["id", "merchant"], name="majuu_store_of_merchant"),
            models.CheckConstraint(
                condition=Q(auto_claim_score__isnull=True) | Q(auto_claim_score__gte=50, auto_claim_score__lte=100),
                name="majuu_store_auto_claim_score",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in a merchant."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        DEVELOPER = "developer", "Developer"
        FINANCE = "finance", "Finance"
        VIEWER = "viewer", "Viewer"

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="majuu_memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "user"], name="majuu_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.merchant}: {self.role}"


class ApiKey(PublicIdMixin, models.Model):
    """A key of one store. The key itself is shown once; only a keyed hash is stored.

    Of kind "client" it is the secret of an OAuth client: it opens nothing but /oauth/token. The client is the line of
    rotated keys, so its id stays when its secret is replaced.
    """

    id_prefix = "key"
    client_id_prefix = "client"

    class Kind(models.TextChoices):
        SECRET = "secret", "Secret"
        PUBLISHABLE = "publishable", "Publishable"
        CLIENT = "client", "OAuth client"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="api_keys")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.SECRET)
    livemode = models.BooleanField()
    live_approval = models.ForeignKey(
        LiveApproval,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What lets a live key exist: the approval of its store's business.",
    )
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=16, help_text='The start of the key, such as "sk_test_".')
    last4 = models.CharField(max_length=4, help_text="Its last four characters, for people to recognise it by.")
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    hashed_with = models.CharField(max_length=8, editable=False, help_text="Names the master key of the hash.")
    scopes = models.JSONField(
        default=list, blank=True, help_text='Scopes such as "payments:write"; "*" allows everything.'
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    rotated_from = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successor", editable=False
    )
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When its successor was made.")
    first_key = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        help_text="The first of a line of rotated keys; the line shares its limits. Empty: this one.",
    )
    allowed_addresses = models.JSONField(
        default=list, blank=True, help_text="Addresses and networks it may be used from; empty: from everywhere."
    )
    rate_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Requests a minute; empty: as the site.")
    monthly_quota = models.PositiveIntegerField(null=True, blank=True, help_text="Requests a month; empty: no end.")
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints = [
            # The prefix is what people and the API go by: it never says another mode or kind than the row.
            models.CheckConstraint(
                condition=Q(kind="secret", livemode=False, prefix="sk_test_")
                | Q(kind="secret", livemode=True, prefix="sk_live_")
                | Q(kind="publishable", livemode=False, prefix="pk_test_")
                | Q(kind="publishable", livemode=True, prefix="pk_live_")
                | Q(kind="client", livemode=False, prefix="ck_test_")
                | Q(kind="client", livemode=True, prefix="ck_live_"),
                name="majuu_key_prefix_agrees",
            ),
            # A rotated key ends; and the old one of two is never the new one too.
            models.CheckConstraint(
                condition=Q(rotated_at__isnull=True) | Q(expires_at__isnull=False), name="majuu_key_rotated_ends"
            ),
            models.CheckConstraint(
                condition=Q(rotated_from__isnull=True) | ~Q(rotated_from=F("id")), name="majuu_key_not_from_itself"
            ),
            models.CheckConstraint(
                condition=(Q(rate_limit__isnull=True) | Q(rate_limit__gte=1, rate_limit__lte=100_000))
                & (Q(monthly_quota__isnull=True) | Q(monthly_quota__gte=1)),
                name="majuu_key_limits",
            ),
            # Triggers see to it that the approval is that of the store's business, and in force when the key is made.
            models.CheckConstraint(
                condition=Q(livemode=False, live_approval__isnull=True) | Q(livemode=True, live_approval__isnull=False),
                name="majuu_key_live_approved",
            ),
        ]
        indexes = [models.Index(fields=["store", "-id"], name="majuu_key_by_store")]

    def __str__(self) -> str:
        return f"{self.prefix}…{self.last4}"

    @property
    def line_id(self) -> uuid.UUID:
        """The first key of the line of rotated keys that this one is in; its own id when it took nobody's place."""
        return self.first_key_id or self.pk

    @staticmethod
    def in_line(first_key_id: uuid.UUID) -> Q:
        """All keys of one line."""
        return Q(pk=first_key_id) | Q(first_key_id=first_key_id)

    @property
    def client_id(self) -> str:
        """The ``client_id`` of an OAuth client; "" for other keys."""
        if self.kind != self.Kind.CLIENT:
            return ""
        return ids.encode_id(self.client_id_prefix, self.line_id)


class ProviderAccount(PublicIdMixin, models.Model):
    """Credentials at one provider, test or live: a store's own, or (without a store) the platform's."""

    id_prefix = "pa"

    class Health(models.TextChoices):
        UNCHECKED = "unchecked", "Not checked yet"
        HEALTHY = "healthy", "Healthy"
        UNHEALTHY = "unhealthy", "Credentials refused"

    class Breaker(models.TextChoices):
        CLOSED = "closed", "Called as usual"
        OPEN = "open", "Not called: it does not answer"
        HALF_OPEN = "half_open", "Being tried"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.PROTECT, related_name="provider_accounts")
    provider = models.CharField(max_length=32, help_text="The provider's code.")
    livemode = models.BooleanField()
    name = models.CharField(max_length=100)
    credentials = models.TextField(editable=False, help_text="Encrypted; bound to this row.")
    is_active = models.BooleanField(default=True)
    priority = models.SmallIntegerField(default=0, help_text="The highest is tried first.")
    health = models.CharField(max_length=16, choices=Health.choices, default=Health.UNCHECKED)
    health_message = models.CharField(max_length=300, blank=True)
    health_checked_at = models.DateTimeField(null=True, blank=True)
    # The circuit breaker: see breaker.py.
    breaker = models.CharField(max_length=16, choices=Breaker.choices, default=Breaker.CLOSED)
    breaker_failures = models.PositiveIntegerField(default=0, help_text="Calls without an answer, one after the other.")
    breaker_until = models.DateTimeField(null=True, blank=True, help_text="When it may be tried next.")
    breaker_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            # Charges point at (id, livemode), so that a test charge can never use a live account.
            models.UniqueConstraint(fields=["id", "livemode"], name="majuu_account_mode"),
            models.UniqueConstraint(fields=["store", "provider", "livemode", "name"], name="majuu_account_name_once"),
            models.UniqueConstraint(
                fields=["provider", "livemode", "name"],
                condition=Q(store__isnull=True),
                name="majuu_platform_account_name_once",
            ),
        ]
        indexes = [models.Index(fields=["store", "livemode", "is_active"], name="majuu_account_by_store")]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider}, {'live' if self.livemode else 'test'})"
