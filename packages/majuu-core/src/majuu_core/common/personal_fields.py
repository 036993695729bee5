"""Names of fields that speak of a person wherever they stand: in an audit entry's changes, in an event's data."""

from __future__ import annotations

PERSONAL_FIELDS = frozenset(
    {
        "email",
        "customer_email",
        "phone",
        "customer_phone",
        "customer_name",
        "payer",
        "payer_name",
        "payer_phone",
        "recipient",
        "recipient_name",
        "username",
        "first_name",
        "last_name",
        "full_name",
        "date_of_birth",
        "id_number",
        "remote_addr",
        "user_agent",
    }
)
