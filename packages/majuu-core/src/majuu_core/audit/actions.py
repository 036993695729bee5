"""The registered audit actions: code and what it says to people. Plugins add theirs by ``register_audit_actions``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class UnknownAction(LookupError):
    """An audit action that was never registered."""


class DuplicateAction(ValueError):
    """Two owners registered the same audit action with different labels."""


class ActionRegistry:
    """Codes such as ``payment_intent.created`` and their labels."""

    def __init__(self, actions: Iterable[tuple[str, str]]) -> None:
        self._labels: dict[str, str] = {}
        self.extend(actions)

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
    ("charge.resolved", "Charge settled by hand"),
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
    ("store.created", "Store created"),
    ("store.updated", "Store updated"),
    ("membership.created", "Member added"),
    ("membership.removed", "Member removed"),
    ("api_key.created", "API key created"),
    ("api_key.revoked", "API key revoked"),
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
    ("balance_snapshot.requested", "Balances asked for"),
    ("balance_snapshot.reported", "Balances reported"),
    ("balance_snapshot.failed", "Balances not told"),
    ("alert.raised", "Alert raised"),
    ("alert.cleared", "Alert over"),
)

action_registry = ActionRegistry(CORE_ACTIONS)
