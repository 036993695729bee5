"""What the matrix knows of each page: the one table to extend when an address is added.

Pages of the console that belong to a model need no row of their own; an action on a page does, in ACTIONS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from majuu_core.merchants.access import Action

# Django's admin makes these for every model; the console's are read by whoever may view the model.
STANDARD = ("changelist", "add", "change", "delete", "history")


@dataclass(frozen=True)
class Act:
    """An action of the console.

    ``permission`` is the one it asks for: it alone is enough, and all others are not. ``fresh``: only right after the
    second factor. ``seen``: it only shows something, and a POST is 405. ``get`` is what a superuser's GET gets: 405
    where there is only a button, 404 where this business has nothing to show. ``also``: what it asks for
    besides. ``calls``: it asks a provider, which it refuses to do inside the transaction that undoes each request here.
    """

    permission: str
    fresh: bool = False
    seen: bool = False
    get: int = 405
    also: tuple[str, ...] = ()
    calls: bool = False


ACTIONS: Mapping[str, Act] = MappingProxyType(
    {
        "majuu_events_event_replay": Act("majuu_webhooks.add_webhookdelivery"),
        "majuu_merchants_apikey_limits": Act("majuu_merchants.change_apikey", fresh=True, get=200),
        "majuu_merchants_apikey_revoke": Act("majuu_merchants.change_apikey", fresh=True),
        "majuu_merchants_apikey_rotate": Act(
            "majuu_merchants.add_apikey", fresh=True, get=200, also=("majuu_merchants.change_apikey",)
        ),
        "majuu_merchants_kyccase_approve": Act("majuu_merchants.review_kyccase", fresh=True),
        "majuu_merchants_kyccase_assign": Act("majuu_merchants.review_kyccase"),
        "majuu_merchants_kyccase_back": Act("majuu_merchants.review_kyccase", fresh=True),
        "majuu_merchants_kyccase_document": Act("majuu_merchants.review_kyccase", seen=True, get=404),
        "majuu_merchants_kyccase_hit": Act("majuu_merchants.review_kyccase", fresh=True),
        "majuu_merchants_kyccase_judge": Act("majuu_merchants.review_kyccase", fresh=True),
        "majuu_merchants_kyccase_more": Act("majuu_merchants.review_kyccase", fresh=True),
        "majuu_merchants_kyccase_note": Act("majuu_merchants.review_kyccase"),
        "majuu_merchants_kyccase_reject": Act("majuu_merchants.review_kyccase", fresh=True),
        "majuu_merchants_kyccase_risk": Act("majuu_merchants.review_kyccase"),
        "majuu_merchants_kyccase_take": Act("majuu_merchants.review_kyccase"),
        "majuu_merchants_provideraccount_balances": Act("majuu_merchants.change_provideraccount", calls=True),
        "majuu_merchants_provideraccount_check": Act("majuu_merchants.change_provideraccount", calls=True),
        "majuu_merchants_provideraccount_mapping": Act("majuu_merchants.change_provideraccount", fresh=True, get=404),
        "majuu_merchants_provideraccount_register": Act(
            "majuu_merchants.change_provideraccount", fresh=True, calls=True
        ),
        "majuu_merchants_provideraccount_resume": Act("majuu_merchants.change_provideraccount"),
        "majuu_merchants_provideraccount_self_test": Act("majuu_merchants.change_provideraccount", calls=True),
        "majuu_merchants_store_new_key": Act("majuu_merchants.add_apikey", fresh=True, get=200),
        "majuu_payments_charge_ask": Act("majuu_payments.change_charge", calls=True),
        "majuu_payments_charge_capture": Act("majuu_payments.change_paymentintent", fresh=True, get=200),
        "majuu_payments_charge_refund": Act("majuu_payments.add_refund", fresh=True, get=200),
        "majuu_payments_charge_seen": Act("majuu_payments.add_sighting", get=200),
        "majuu_payments_claim_allow": Act("majuu_payments.change_claim", fresh=True),
        "majuu_payments_claim_keep": Act("majuu_payments.change_claim"),
        "majuu_payments_claim_undo": Act("majuu_payments.change_claim", fresh=True, get=200),
        "majuu_payments_dispute_accept": Act("majuu_payments.accept_dispute", fresh=True, calls=True),
        "majuu_payments_dispute_ask": Act("majuu_payments.change_dispute", calls=True),
        "majuu_payments_dispute_csv": Act("majuu_payments.view_dispute", seen=True, get=200),
        "majuu_payments_dispute_evidence": Act("majuu_payments.change_dispute"),
        "majuu_payments_dispute_file": Act("majuu_payments.view_dispute", seen=True, get=200),
        "majuu_payments_dispute_file_remove": Act("majuu_payments.change_dispute"),
        "majuu_payments_dispute_note": Act("majuu_payments.change_dispute"),
        "majuu_payments_dispute_submit": Act("majuu_payments.change_dispute"),
        "majuu_payments_dispute_xlsx": Act("majuu_payments.view_dispute", seen=True, get=200),
        "majuu_payments_incomingpayment_claim": Act("majuu_payments.change_incomingpayment", fresh=True, get=200),
        "majuu_payments_incomingpayment_confirm": Act("majuu_payments.change_incomingpayment", fresh=True, get=200),
        "majuu_payments_paymentintent_qr_code": Act("majuu_payments.change_charge", calls=True),
        "majuu_payments_payout_approve": Act("majuu_payments.change_payout", fresh=True),
        "majuu_payments_payout_ask": Act("majuu_payments.change_payout", calls=True),
        "majuu_payments_payout_cancel": Act("majuu_payments.change_payout"),
        "majuu_payments_payout_refuse": Act("majuu_payments.change_payout"),
        "majuu_payments_payoutbatch_approve": Act(
            "majuu_payments.change_payout", fresh=True, also=("majuu_payments.view_payoutbatch",)
        ),
        "majuu_payments_payoutbatch_results": Act(
            "majuu_payments.view_payout", seen=True, get=200, also=("majuu_payments.view_payoutbatch",)
        ),
        "majuu_payments_refund_ask": Act("majuu_payments.change_refund", calls=True),
        "majuu_payments_routingrule_remove": Act("majuu_payments.delete_routingrule", fresh=True),
        "majuu_payments_sighting_confirm": Act("majuu_payments.change_sighting", fresh=True),
        "majuu_payments_sighting_refuse": Act("majuu_payments.change_sighting"),
        "majuu_reports_close_again": Act("majuu_reports.change_close"),
        "majuu_reports_mismatch_assign": Act("majuu_reports.change_mismatch"),
        "majuu_reports_mismatch_csv": Act("majuu_reports.view_mismatch", seen=True, get=200),
        "majuu_reports_mismatch_reopen": Act("majuu_reports.change_mismatch"),
        "majuu_reports_mismatch_resolve": Act("majuu_reports.change_mismatch"),
        "majuu_reports_mismatch_take": Act("majuu_reports.change_mismatch"),
        "majuu_reports_mismatch_xlsx": Act("majuu_reports.view_mismatch", seen=True, get=200),
        "majuu_reports_settlement_discard": Act("majuu_reports.add_settlement"),
        "majuu_reports_settlement_import": Act("majuu_reports.add_settlement"),
        "majuu_reports_settlement_upload": Act("majuu_reports.add_settlement", get=200),
        "majuu_wallets_wallet_freeze": Act("majuu_wallets.change_wallet"),
        "majuu_wallets_wallet_unfreeze": Act("majuu_wallets.change_wallet", fresh=True),
        "majuu_webhooks_webhookdelivery_send_again": Act("majuu_webhooks.add_webhookdelivery"),
    }
)
# Pages of the console that belong to no model: what a member of staff without any permission gets.
PAGES: Mapping[str, int] = MappingProxyType(
    {
        "index": 200,
        "plugins": 200,
        "search": 200,
        "jsi18n": 200,
        "password_change": 302,
        "password_change_done": 302,
        "refunds_by_hand": 403,
        "people": 403,
        "safeguarding": 403,
        "autocomplete": 403,
        "app_list": 404,
        "view_on_site": 404,
        "": 404,
    }
)
# What opens those of them that ask for a permission.
PAGE_PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "refunds_by_hand": "majuu_payments.view_refund",
        "people": "majuu_privacy.find_person",
        "safeguarding": "majuu_wallets.view_wallet",
    }
)
# The only model whose rows are added by Django's own form.
ADDED_BY_FORM = "majuu_payments_routingrule_add"
# Nobody has to be signed in for these: a stylesheet, and the ways in and out.
OPEN = frozenset({"theme", "login", "logout"})


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the dashboard: what its role must allow to read and to change it; None: there is nothing to read.

    ``shown`` and ``done``: what those who may read or change it get. 404: this business has no such thing.
    """

    read: Action | None
    change: Action | None = None
    fresh: bool = False
    shown: int = 200
    done: int = 200


def _page(
    read: Action | None, change: Action | None = None, *, fresh: bool = False, shown: int = 200, done: int = 200
) -> Page:
    return Page(read=read, change=change, fresh=fresh, shown=shown, done=done)


DASHBOARD: Mapping[str, Page] = MappingProxyType(
    {
        "overview": _page(Action.READ),
        "settings": _page(Action.READ, Action.SETTINGS),
        "stores": _page(Action.READ),
        "store_new": _page(Action.STORES, Action.STORES),
        "store_edit": _page(Action.STORES, Action.STORES),
        "kyc": _page(Action.KYC),
        "kyc_business": _page(Action.KYC, Action.KYC),
        "kyc_account": _page(Action.KYC, Action.KYC, fresh=True),
        "kyc_people": _page(Action.KYC),
        "kyc_person_new": _page(Action.KYC, Action.KYC),
        "kyc_person": _page(Action.KYC, Action.KYC, done=404, shown=404),
        "kyc_person_remove": _page(None, Action.KYC, done=404),
        "kyc_documents": _page(Action.KYC, Action.KYC),
        "kyc_document_remove": _page(None, Action.KYC, done=404),
        "kyc_act": _page(None, Action.KYC, done=302),
        "keys": _page(Action.READ_KEYS),
        "key_new": _page(Action.KEYS, Action.KEYS, fresh=True),
        "key": _page(Action.READ_KEYS),
        "key_rotate": _page(Action.KEYS, Action.KEYS, fresh=True),
        "key_limits": _page(Action.KEYS, Action.KEYS, fresh=True),
        "key_revoke": _page(None, Action.KEYS, fresh=True, done=302),
        "payments": _page(Action.READ),
        "payment": _page(Action.READ),
        "payment_refund": _page(Action.REFUND, Action.REFUND, fresh=True),
        "payouts": _page(Action.READ),
        "disputes": _page(Action.READ),
        "export": _page(Action.EXPORT),
        "webhooks": _page(Action.READ_KEYS),
        "webhook_new": _page(Action.WEBHOOKS, Action.WEBHOOKS, fresh=True),
        "webhook": _page(Action.READ_KEYS),
        "webhook_rotate": _page(None, Action.WEBHOOKS, fresh=True),
        "webhook_act": _page(None, Action.WEBHOOKS, fresh=True, done=302),
        "delivery_again": _page(None, Action.WEBHOOKS, done=302),
        "team": _page(Action.TEAM, Action.TEAM, fresh=True),
        "team_act": _page(None, Action.TEAM, fresh=True, done=302),
        "invitation_revoke": _page(None, Action.TEAM, fresh=True, done=404),
    }
)
# Pages for anybody who is signed in, of no business.
OF_PEOPLE = frozenset({"start", "register", "invitation"})

# Pages of one's own account: a stranger is sent to sign in.
OWN_ACCOUNT = frozenset(
    {
        "majuu_account",
        "majuu_confirm",
        "account_reauthenticate",
        "account_email",
        "account_change_password",
        "account_set_password",
        "socialaccount_connections",
        "two_factor:profile",
        "two_factor:setup",
        "two_factor:setup_app",
        "two_factor:qr",
        "two_factor:setup_key",
        "two_factor:backup_tokens",
        "two_factor:disable",
    }
)
# Ways in, and what belongs to them, with what an empty request gets by GET and by POST: it changes nothing.
# tests/core/accounts/sign_in_paths.py says of each whom it lets in.
WAYS_IN: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "account_login": (200, 200),
        "account_request_login_code": (200, 200),
        "account_confirm_login_code": (302, 302),
        "otp_challenge": (302, 302),
        "account_signup": (200, 200),
        "account_email_verification_sent": (200, 405),
        "account_confirm_email": (200, 404),
        "account_reset_password": (200, 200),
        "account_reset_password_done": (200, 405),
        "account_reset_password_from_key": (200, 200),
        "account_reset_password_from_key_done": (200, 405),
        "account_inactive": (200, 405),
        "account_logout": (302, 302),
        "socialaccount_login_cancelled": (200, 405),
        "socialaccount_login_error": (401, 405),
        "socialaccount_signup": (302, 302),
        "dummy_login": (200, 302),
        "dummy_authenticate": (403, 403),
    }
)
# With a secret in the address or in the body: whoever guesses one gets this by GET and by POST, and nothing is written.
BY_SECRET: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "majuu_inbound": (404, 404),
        "majuu_checkout:page": (404, 404),
        "majuu_checkout:proceed": (404, 405),
        "majuu_checkout:return": (404, 405),
        "majuu_checkout:canceled": (404, 405),
        "majuu_checkout:state": (404, 405),
        "majuu_oauth_token": (405, 400),  # an empty form names no client
    }
)
DOCUMENTATION = frozenset({"majuu_api:openapi-json", "majuu_api:openapi-view"})
