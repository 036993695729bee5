"""Payments: money that is owed, taken, given back, sent out, and that arrives by itself.

Written only by this room's services. Amounts are decimals in the currency's own unit (KES 10.50 is 10.50).
"""

from majuu_core.payments.models.alerts import Alert
from majuu_core.payments.models.balances import BalanceLine, BalanceSnapshot
from majuu_core.payments.models.charges import Charge, PaymentIntent, ProviderCall
from majuu_core.payments.models.disputes import Dispute, DisputeEvidence, DisputeWatch
from majuu_core.payments.models.fields import money_field
from majuu_core.payments.models.incoming import Claim, IncomingPayment
from majuu_core.payments.models.outgoing import Payout, PayoutBatch, Refund
from majuu_core.payments.models.routing import RoutingRule
from majuu_core.payments.models.saved import Customer, SavedMethod
from majuu_core.payments.models.sightings import Sighting

__all__ = [
    "Alert",
    "BalanceLine",
    "BalanceSnapshot",
    "Charge",
    "Claim",
    "Customer",
    "Dispute",
    "DisputeEvidence",
    "DisputeWatch",
    "IncomingPayment",
    "PaymentIntent",
    "Payout",
    "PayoutBatch",
    "ProviderCall",
    "Refund",
    "RoutingRule",
    "SavedMethod",
    "Sighting",
    "money_field",
]
