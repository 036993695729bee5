"""The registered audit actions: code and what it says to people. Plugins add theirs by ``register_audit_actions``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from majuu_core.common.personal_fields import PERSONAL_FIELDS


class UnknownAction(LookupError):
    """An audit action that was never registered."""


class DuplicateAction(ValueError):
    """Two owners registered the same audit action with different labels."""


class ActionRegistry:
    """Codes such as ``payment_intent.created``, their labels, and which fields of their changes are personal."""

    def __init__(self, actions: Iterable[tuple[str, str]]) -> None:
        self._labels: dict[str, str] = {}
        self._personal: dict[str, frozenset[str]] = {}
        self.extend(actions)

    def mark_personal(self, code: str, fields: Iterable[str]) -> None:
        """These fields of the action's changes are encrypted too, beside those that always are."""
        self._personal[code] = self._personal.get(code, frozenset()) | frozenset(fields)

    def personal_fields(self, code: str) -> frozenset[str]:
        """The fields of the action's changes that are encrypted."""
        return PERSONAL_FIELDS | self._personal.get(code, frozenset())

    def extend(self, actions: Iterable[tuple[str, str]]) -> None:
        """Add actions. Raises DuplicateAction when a code is taken by another label."""
        for code, label in actions:
            if self._labels.setdefault(code, label) != label:
                raise DuplicateAction(f"audit action {code!r} is registered twice")

    def get(self, code: str) -> str:
        """The label. Raises UnknownAction."""
        try:
            return self._labels[code]
        except KeyError:
            raise UnknownAction(f"audit action {code!r} is not registered") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)


CORE_ACTIONS: tuple[tuple[str, str], ...] = (
    ("payment_intent.created", "Payment intent created"),
    ("payment_intent.succeeded", "Payment intent succeeded"),
    ("payment_intent.canceled", "Payment intent canceled"),
    ("payment_intent.partially_paid", "Part of a payment intent paid"),
    ("payment_intent.parked", "Payment intent parked for a decision"),
    ("charge.created", "Charge started"),
    ("charge.updated", "Charge updated"),
    ("charge.succeeded", "Charge succeeded"),
    ("charge.failed", "Charge failed"),
    ("charge.parked", "Charge parked for a decision"),
    ("charge.authorized", "Charge authorized"),
    ("charge.capture_requested", "Capture asked for"),
    ("charge.capture_failed", "Capture failed"),
    ("charge.void_requested", "Void asked for"),
    ("charge.void_failed", "Void failed"),
    ("charge.resolved", "Charge settled by hand"),
    ("sighting.reported", "Money seen, says one person"),
    ("sighting.confirmed", "Money seen, confirms a second person"),
    ("sighting.refused", "Money not seen after all"),
    ("payout.created", "Payout asked for"),
    ("payout.approved", "Payout approved"),
    ("payout.rejected", "Payout refused"),
    ("payout.canceled", "Payout canceled"),
    ("payout.updated", "Payout updated"),
    ("payout.succeeded", "Payout succeeded"),
    ("payout.failed", "Payout failed"),
    ("payout.parked", "Payout parked for a decision"),
    ("payout.resolved", "Payout settled by hand"),
    ("payout_batch.created", "Payouts uploaded"),
    ("refund.created", "Refund started"),
    ("refund.updated", "Refund updated"),
    ("refund.succeeded", "Refund succeeded"),
    ("refund.failed", "Refund failed"),
    ("refund.canceled", "Refund canceled"),
    ("refund.parked", "Refund parked for a decision"),
    ("refund.resolved", "Refund settled by hand"),
    ("dispute.created", "Dispute opened"),
    ("dispute.updated", "Dispute updated"),
    ("dispute.closed", "Dispute decided"),
    ("dispute.parked", "Dispute parked for a decision"),
    ("dispute.noted", "Doubt about a dispute noted"),
    ("dispute.evidence_saved", "Evidence for a dispute saved"),
    ("dispute.evidence_removed", "Evidence for a dispute removed"),
    ("dispute.evidence_sent", "Evidence for a dispute being sent"),
    ("dispute.evidence_submitted", "Evidence for a dispute submitted"),
    ("dispute.accepting", "Dispute being accepted"),
    ("dispute.accepted", "Dispute accepted by the store"),
    ("dispute.refused", "Provider refused what was sent for a dispute"),
    ("settlement.uploaded", "Statement uploaded"),
    ("settlement.imported", "Statement imported"),
    ("settlement.discarded", "Uploaded statement discarded"),
    ("close.finished", "Day closed"),
    ("mismatch.assigned", "Difference assigned"),
    ("mismatch.resolved", "Difference resolved"),
    ("mismatch.reopened", "Difference opened again"),
    ("mismatch.taken_in", "Payment taken into the intake"),
    ("wallet.created", "Wallet opened"),
    ("wallet.updated", "Wallet frozen, released, closed or opened again"),
    ("wallet.deposit_created", "Deposit into a wallet begun"),
    ("wallet.credited", "Money put into a wallet"),
    ("wallet.debited", "Payment made from a wallet"),
    ("wallet.withdrawal_created", "Withdrawal from a wallet begun"),
    ("trust_movement.recorded", "Movement of trust money recorded"),
    ("merchant.created", "Merchant created"),
    ("merchant.updated", "Merchant updated"),
    ("merchant.approved", "Merchant approved"),
    ("merchant.suspended", "Merchant suspended"),
    ("kyc_case.opened", "KYC case opened"),
    ("kyc_case.updated", "KYC details changed"),
    ("kyc_case.person_added", "Person added to a KYC case"),
    ("kyc_case.person_updated", "Person of a KYC case changed"),
    ("kyc_case.person_removed", "Person removed from a KYC case"),
    ("kyc_case.document_added", "KYC document uploaded"),
    ("kyc_case.document_removed", "KYC document taken back"),
    ("kyc_case.document_viewed", "KYC document viewed"),
    ("kyc_case.document_accepted", "KYC document accepted"),
    ("kyc_case.document_refused", "KYC document refused"),
    ("kyc_case.submitted", "KYC case submitted"),
    ("kyc_case.reopened", "KYC case opened again"),
    ("kyc_case.viewed", "KYC case viewed"),
    ("kyc_case.assigned", "KYC case assigned"),
    ("kyc_case.noted", "Note on a KYC case"),
    ("kyc_case.risk_set", "Risk of a KYC case set"),
    ("kyc_case.asked_for_more", "More asked for in a KYC case"),
    ("kyc_case.first_approval", "KYC case approved by the first of two"),
    ("kyc_case.sent_back", "KYC case sent back by the second reviewer"),
    ("kyc_case.approved", "KYC case approved"),
    ("kyc_case.rejected", "KYC case rejected"),
    ("kyc_case.review_due", "KYC case due again"),
    ("kyc_case.screened", "KYC case compared with sanctions lists"),
    ("kyc_case.hit_cleared", "Resemblance to a sanctions list cleared"),
    ("kyc_case.hit_confirmed", "Resemblance to a sanctions list confirmed"),
    ("store.created", "Store created"),
    ("store.updated", "Store updated"),
    ("membership.created", "Member added"),
    ("membership.updated", "Role of a member changed"),
    ("membership.removed", "Member removed"),
    ("invitation.created", "Somebody invited"),
    ("invitation.accepted", "Invitation accepted"),
    ("invitation.revoked", "Invitation withdrawn"),
    ("report.exported", "Rows exported"),
    ("api_key.created", "API key created"),
    ("api_key.rotated", "API key replaced by another"),
    ("api_key.updated", "API key's limits changed"),
    ("api_key.revoked", "API key revoked"),
    ("api_key.used", "API key used from an address for the first time that day"),
    ("api_key.address_refused", "API key used from an address that is not allowed"),
    ("oauth_client.token_granted", "Access token granted to an OAuth client"),
    ("oauth_client.refused", "Wrong or ended secret sent for an OAuth client"),
    ("provider_account.created", "Provider account created"),
    ("provider_account.updated", "Provider account updated"),
    ("provider_account.credentials_rotated", "Provider account re-encrypted"),
    ("incoming_payment.received", "Incoming payment received"),
    ("incoming_payment.verified", "Incoming payment confirmed"),
    ("incoming_payment.corrected", "Incoming payment's amount corrected"),
    ("incoming_payment.refuted", "Incoming payment refuted"),
    ("incoming_payment.reinstated", "Refuted incoming payment arrived after all"),
    ("incoming_payment.unverified", "Incoming payment could not be confirmed"),
    ("incoming_payment.assigned", "Incoming payment reserved for a store"),
    ("incoming_payment.claimed", "Incoming payment claimed"),
    ("incoming_payment.claim_undone", "Incoming payment unclaimed again"),
    ("incoming_payment.linked", "Incoming payment recognised as a charge's"),
    ("incoming_payment.conflict", "Two channels disagree about a receipt"),
    ("claim.created", "Receipt marked as used"),
    ("claim.undo_requested", "Undoing a claim requested"),
    ("claim.undo_withdrawn", "Request to undo a claim withdrawn"),
    ("claim.undone", "Claim undone"),
    ("provider_account.incoming_registered", "Addresses for incoming money registered"),
    ("webhook_endpoint.created", "Webhook endpoint created"),
    ("webhook_endpoint.updated", "Webhook endpoint updated"),
    ("webhook_endpoint.deleted", "Webhook endpoint deleted"),
    ("webhook_endpoint.disabled", "Webhook endpoint disabled"),
    ("webhook_endpoint.secret_rotated", "Webhook signing secret rotated"),
    ("webhook_delivery.replayed", "Events delivered again"),
    ("provider_account.checked", "Provider account checked"),
    ("provider_account.paused", "Provider account not called: it does not answer"),
    ("provider_account.resumed", "Provider account called again"),
    ("customer.created", "Customer created"),
    ("saved_method.updated", "Saved method changed"),
    ("routing_rule.created", "Routing rule created"),
    ("routing_rule.deleted", "Routing rule deleted"),
    ("balance_snapshot.requested", "Balances asked for"),
    ("balance_snapshot.reported", "Balances reported"),
    ("balance_snapshot.failed", "Balances not told"),
    ("alert.raised", "Alert raised"),
    ("alert.cleared", "Alert over"),
    ("person.exported", "A person's data exported"),
    ("person.erased", "A person's data erased"),
    ("retention_hold.placed", "A person's data put on hold"),
    ("retention_hold.released", "Hold on a person's data released"),
    ("audit.exported", "Audit trail exported"),
    ("settings.changed", "Settings of the site changed"),
    ("user.registered", "Account registered"),
    ("user.signed_in", "Signed in"),
    ("user.sign_in_failed", "Sign-in refused"),
    ("user.signed_out", "Signed out"),
    ("user.session_ended", "Session ended by its owner"),
    ("user.sessions_ended", "All sessions of a person ended by an operator"),
    ("user.refresh_token_reused", "Used refresh token shown again: session ended"),
    ("user.profile_changed", "Profile changed"),
    ("user.phone_code_sent", "Code for a phone number asked for"),
    ("user.phone_verified", "Phone number verified"),
    ("user.phone_code_refused", "Code for a phone number refused"),
    ("user.phone_taken_over", "Phone number verified by somebody else: no longer verified here"),
    ("user.second_factor_shown", "Second factor shown again"),
    ("user.second_factor_failed", "Second factor refused"),
    ("user.second_factor_added", "Second factor set up"),
    ("user.second_factor_removed", "Second factor removed"),
    ("user.second_factor_reset", "Second factor taken away by an operator"),
    ("user.backup_codes_made", "Backup codes made"),
    ("user.password_changed", "Password changed"),
    ("user.password_reset", "Password reset by e-mail"),
    ("user.email_verified", "E-mail address verified"),
    ("user.password_removed", "Password of an address that was not confirmed removed"),
    ("user.email_changed", "E-mail addresses changed"),
    ("user.social_account_changed", "Sign-in by another site connected or disconnected"),
)

action_registry = ActionRegistry(CORE_ACTIONS)
# What the shop calls a customer is often an e-mail address or a telephone number.
action_registry.mark_personal("customer.created", ["reference"])
action_registry.mark_personal("person.exported", ["person"])
action_registry.mark_personal("report.exported", ["searched"])
