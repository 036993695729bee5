"""The API's part of the matrix: one row for each operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Names = Mapping[str, str]


@dataclass(frozen=True)
class Operation:
    """What an operation of the API answers to whom.

    ``scope`` is what the key needs ("" for none). ``owner`` is the answer to the owner's own key. ``stranger`` is the
    answer to a working key of another business or of a sister store that names the owner's things: 404 when the
    address names one, else as to the owner, who then sees and changes only their own. ``for_merchant``: money that
    named no order is for all stores of its merchant to see and claim, so a sister store may. ``elsewhere`` is the
    answer to a sister store or the other mode of my own business, where it is not the owner's.
    """

    scope: str
    owner: int = 200
    stranger: int | None = None
    for_merchant: bool = False
    elsewhere: int | None = None
    body: Callable[[Names], Any] | None = None
    query: Callable[[Names], str] = lambda names: ""


OPERATIONS: dict[str, Operation] = {
    "list_api_keys": Operation("api_keys:read"),
    "get_api_key": Operation("api_keys:read"),
    "get_api_key_usage": Operation("api_keys:read"),
    "revoke_api_key": Operation("api_keys:write"),
    "list_balances": Operation("balances:read"),
    "list_charges": Operation("payments:read"),
    "get_charge": Operation("payments:read"),
    "get_refund_plan": Operation("refunds:read", 409),
    "list_customers": Operation("customers:read"),
    "create_customer": Operation("customers:write", 201, body=lambda names: {"name": "New"}),
    "get_customer": Operation("customers:read"),
    "list_saved_methods": Operation("customers:read"),
    "save_method": Operation("customers:write", 201, body=lambda names: {"payment_method": "mock"}),
    "list_disputes": Operation("disputes:read"),
    "get_dispute": Operation("disputes:read"),
    "accept_dispute": Operation("disputes:write", 409, body=lambda names: {"confirm": True}),
    "get_dispute_evidence": Operation("disputes:read"),
    "save_dispute_evidence": Operation("disputes:write", body=lambda names: {"texts": {}}),
    "add_dispute_file": Operation("disputes:write", 422),
    "remove_dispute_file": Operation("disputes:write", 204),
    "submit_dispute_evidence": Operation("disputes:write", 409),
    "list_events": Operation("events:read"),
    "get_event": Operation("events:read"),
    "replay_event": Operation("webhooks:write", body=lambda names: {}),
    "list_incoming_payments": Operation("incoming:read"),
    "get_account_reference": Operation("incoming:read", query=lambda names: "?reference=R-77"),
    "claim_incoming_payment": Operation(
        "incoming:write",
        stranger=404,
        for_merchant=True,
        body=lambda names: {"receipt": names["receipt"], "reference": "mine"},
    ),
    "list_incoming_suggestions": Operation("incoming:read", for_merchant=True),
    "verify_receipt": Operation("incoming:read", for_merchant=True, query=lambda names: f"?receipt={names['receipt']}"),
    "verify_incoming_message": Operation("incoming:read", body=lambda names: {"text": names["receipt"]}),
    "get_incoming_payment": Operation("incoming:read"),
    "list_payment_intents": Operation("payments:read"),
    "create_payment_intent": Operation("payments:write", 201, body=lambda names: {"amount": "10", "currency": "KES"}),
    "get_payment_intent": Operation("payments:read"),
    "cancel_payment_intent": Operation("payments:write"),
    "capture_payment_intent": Operation("payments:write", 409),
    "confirm_payment_intent": Operation("payments:write", body=lambda names: {"payment_method": "mock"}),
    "list_payment_intent_suggestions": Operation("incoming:read"),
    "create_payment_intent_qr_code": Operation("payments:write", 201, body=lambda names: {}),
    "list_payouts": Operation("payouts:read"),
    "create_payout": Operation(
        "payouts:write",
        201,
        stranger=201,
        elsewhere=422,  # these have no account to pay out from
        body=lambda names: {
            "amount": "10",
            "currency": "KES",
            "reference": "P-new",
            "destination": {"phone": "254712345678"},
        },
    ),
    "list_payout_batches": Operation("payouts:read"),
    "create_payout_batch": Operation("payouts:write", 422, body=lambda names: {}),
    "get_payout_batch": Operation("payouts:read"),
    "export_payout_batch": Operation("payouts:read"),
    "get_payout": Operation("payouts:read"),
    "cancel_payout": Operation("payouts:write"),
    "ping": Operation(""),
    "list_refunds": Operation("refunds:read"),
    "create_refund": Operation(
        "refunds:write", 409, stranger=404, body=lambda names: {"charge": names["charge_id"], "reason": "Late"}
    ),
    "get_refund": Operation("refunds:read"),
    "get_saved_method": Operation("customers:read"),
    "remove_saved_method": Operation("customers:write", 409),
    "list_wallets": Operation("wallets:read"),
    "create_wallet": Operation(
        "wallets:write", 201, body=lambda names: {"customer_reference": "C-new", "currency": "KES"}
    ),
    "get_wallet": Operation("wallets:read"),
    "close_wallet": Operation("wallets:write"),
    "create_wallet_deposit": Operation("wallets:write", 201, body=lambda names: {"amount": "10"}),
    "freeze_wallet": Operation("wallets:write", body=lambda names: {"reason": "Lost phone"}),
    "list_wallet_movements": Operation("wallets:read"),
    "create_wallet_payment": Operation(
        "wallets:write", 409, body=lambda names: {"payment_intent": names["payment_intent_id"]}
    ),
    "get_wallet_statement": Operation("wallets:read"),
    "unfreeze_wallet": Operation("wallets:write"),
    "create_wallet_withdrawal": Operation(
        "wallets:write", 409, body=lambda names: {"amount": "10", "reference": "W-new"}
    ),
    "list_webhook_endpoints": Operation("webhooks:read"),
    "create_webhook_endpoint": Operation("webhooks:write", 201, body=lambda names: {"url": "https://a.example.com/"}),
    "delete_webhook_endpoint": Operation("webhooks:write", 204),
    "get_webhook_endpoint": Operation("webhooks:read"),
    "update_webhook_endpoint": Operation("webhooks:write", body=lambda names: {"description": "Mine"}),
    "rotate_webhook_secret": Operation("webhooks:write"),
    "test_webhook_endpoint": Operation("webhooks:write"),
}

# What people do with a token of their own. A key, a session cookie or nothing at all opens none of it: 401.
WITH_A_TOKEN = frozenset(
    {
        "end_user_session",
        "get_profile",
        "list_user_merchants",
        "list_user_payments",
        "list_user_sessions",
        "logout",
        "send_phone_code",
        "update_profile",
        "verify_phone",
    }
)
# What begins a session: open to everybody, and an empty body gets nobody anything: 422.
FOR_EVERYBODY = frozenset(
    {
        "ask_for_password_reset",
        "login",
        "refresh_tokens",
        "register",
        "reset_password",
        "show_second_factor",
        "verify_email",
    }
)
# The payment behind a link, for the shop's page: the publishable key's own business and no other's.
FOR_THE_PAGE = frozenset({"get_checkout_payment_intent"})
