"""How API keys are used: by day, to be looked at; by month, where a quota ends; and from where today."""

from __future__ import annotations

from django.db import models

from majuu_core.common import ids


class ApiKeyUsage(models.Model):
    """One key's requests on one day of the project's time zone. Processes add to it every few seconds."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    api_key = models.ForeignKey("majuu_merchants.ApiKey", on_delete=models.CASCADE, related_name="usage")
    day = models.DateField()
    requests = models.PositiveBigIntegerField(default=0, help_text="Requests that were let in.")
    refused = models.PositiveBigIntegerField(default=0, help_text="Refused by address, rate limit or quota.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "day"], name="majuu_key_usage_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.requests}"


class ApiKeyMonth(models.Model):
    """What a line of keys has used of its quota in one month; ``api_key`` is the first of the line.

    Processes take a few requests at a time, so this runs ahead of what was really used, never behind.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    api_key = models.ForeignKey("majuu_merchants.ApiKey", on_delete=models.CASCADE, related_name="months")
    month = models.DateField(help_text="Its first day.")
    used = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "month"], name="majuu_key_month_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.used}"


class ApiKeyAddress(models.Model):
    """A key was used from an address on one day (UTC): the audit trail has the entry. Kept for two days."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    api_key = models.ForeignKey("majuu_merchants.ApiKey", on_delete=models.CASCADE, related_name="addresses")
    day = models.DateField(db_index=True)
    address = models.CharField(max_length=45, help_text="Of IPv6, its network of 64 bits.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "day", "address"], name="majuu_key_address_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.address}"
