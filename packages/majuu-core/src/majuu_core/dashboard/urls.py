"""Addresses of the dashboard: include under ``dashboard/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from majuu_core.dashboard import keys, kyc, overview, payments, start, team, webhooks

app_name = "dashboard"

_business: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("settings/", overview.settings, name="settings"),
    path("stores/", overview.stores, name="stores"),
    path("stores/new/", overview.store_new, name="store_new"),
    path("stores/<str:store_id>/", overview.store_edit, name="store_edit"),
    path("verification/", kyc.kyc, name="kyc"),
    path("verification/business/", kyc.kyc_business, name="kyc_business"),
    path("verification/account/", kyc.kyc_account, name="kyc_account"),
    path("verification/people/", kyc.kyc_people, name="kyc_people"),
    path("verification/people/new/", kyc.kyc_person, name="kyc_person_new"),
    path("verification/people/<str:person_id>/", kyc.kyc_person, name="kyc_person"),
    path("verification/people/<str:person_id>/remove/", kyc.kyc_person_remove, name="kyc_person_remove"),
    path("verification/documents/", kyc.kyc_documents, name="kyc_documents"),
    path("verification/documents/<str:document_id>/remove/", kyc.kyc_document_remove, name="kyc_document_remove"),
    path("verification/<slug:what>/", kyc.kyc_act, name="kyc_act"),
    path("keys/", keys.keys, name="keys"),
    path("keys/new/", keys.key_new, name="key_new"),
    path("keys/<str:key_id>/", keys.key, name="key"),
    path("keys/<str:key_id>/rotate/", keys.key_rotate, name="key_rotate"),
    path("keys/<str:key_id>/limits/", keys.key_limits, name="key_limits"),
    path("keys/<str:key_id>/revoke/", keys.key_revoke, name="key_revoke"),
    path("payments/", payments.listing, {"kind": "payments"}, name="payments"),
    path("payments/<str:intent_id>/", payments.payment, name="payment"),
    path("charges/<str:charge_id>/refund/", payments.refund, name="payment_refund"),
    path("payouts/", payments.listing, {"kind": "payouts"}, name="payouts"),
    path("disputes/", payments.listing, {"kind": "disputes"}, name="disputes"),
    re_path(r"^export/(?P<kind>[a-z]+)\.(?P<format>csv|xlsx)$", payments.export, name="export"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/new/", webhooks.webhook_new, name="webhook_new"),
    path("webhooks/<str:endpoint_id>/", webhooks.webhook, name="webhook"),
    path("webhooks/<str:endpoint_id>/rotate/", webhooks.webhook_rotate, name="webhook_rotate"),
    path("webhooks/<str:endpoint_id>/<slug:what>/", webhooks.webhook_act, name="webhook_act"),
    path("deliveries/<str:delivery_id>/again/", webhooks.delivery_again, name="delivery_again"),
    path("team/", team.team, name="team"),
    path("team/<int:member>/<slug:what>/", team.team_act, name="team_act"),
    path("team/invitations/<str:invitation_id>/revoke/", team.invitation_revoke, name="invitation_revoke"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", start.start, name="start"),
    path("new/", start.register, name="register"),
    path("invitations/<str:token>/", start.invitation, name="invitation"),
    path("<str:merchant_id>/", include(_business)),
]
