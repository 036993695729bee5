"""A Stripe-shaped HTTP server: payment intents, checkout, refunds, disputes, saved cards, payouts, signed events."""

from majuu_sim.stripe.cards import CARDS, Card
from majuu_sim.stripe.config import API_VERSION, SECRET_KEY, WEBHOOK_SECRET, Endpoint, StripeAccount, StripeConfig
from majuu_sim.stripe.simulator import StripeSimulator

__all__ = [
    "API_VERSION",
    "CARDS",
    "SECRET_KEY",
    "WEBHOOK_SECRET",
    "Card",
    "Endpoint",
    "StripeAccount",
    "StripeConfig",
    "StripeSimulator",
]
