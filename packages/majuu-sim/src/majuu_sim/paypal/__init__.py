"""A PayPal-shaped HTTP server: OAuth, orders, payments, disputes, payouts, transactions, signed webhooks, a page."""

from majuu_sim.paypal.books import Movement
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.disputes import Dispute
from majuu_sim.paypal.payouts import Batch, Item
from majuu_sim.paypal.records import Authorization, Capture, Order, Refund
from majuu_sim.paypal.simulator import PaypalSimulator

__all__ = [
    "Account",
    "Authorization",
    "Batch",
    "Capture",
    "Dispute",
    "Item",
    "Movement",
    "Order",
    "PaypalConfig",
    "PaypalSimulator",
    "Refund",
]
