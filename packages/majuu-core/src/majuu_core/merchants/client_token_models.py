"""Access tokens of OAuth clients."""

from __future__ import annotations

from django.db import models

from majuu_core.common import clock, ids


class ClientToken(models.Model):
    """An access token, traded for a client's secret. It was answered once; only a keyed hash is stored.

    It opens what its client may, as far as ``scopes`` go, and ends with the secret it was traded for.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    api_key = models.ForeignKey("majuu_merchants.ApiKey", on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, help_text="What was asked for, of what the client may do.")
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"until {self.expires_at:%Y-%m-%d %H:%M}"
