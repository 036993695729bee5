"""A Daraja-shaped (Safaricom M-Pesa) HTTP server: OAuth, M-Pesa Express push, query and callbacks."""

from majuu_sim.daraja.config import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, App, DarajaConfig, Shortcode
from majuu_sim.daraja.records import Payment, Prompt, Subscriber
from majuu_sim.daraja.simulator import DarajaSimulator

__all__ = [
    "SANDBOX_PASSKEY",
    "SANDBOX_SHORTCODE",
    "App",
    "DarajaConfig",
    "DarajaSimulator",
    "Payment",
    "Prompt",
    "Shortcode",
    "Subscriber",
]
