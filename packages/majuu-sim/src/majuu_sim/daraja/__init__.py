"""A Daraja-shaped (Safaricom M-Pesa) HTTP server: Express, C2B, B2C, B2B, reversal, status, balance, QR, pull."""

from majuu_sim.daraja.books import Movement, Posting
from majuu_sim.daraja.c2b_records import C2BPayment, Registration
from majuu_sim.daraja.config import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, App, DarajaConfig, Initiator, Shortcode
from majuu_sim.daraja.jobs_records import Job
from majuu_sim.daraja.messages import Message
from majuu_sim.daraja.records import Payment, Prompt, Subscriber
from majuu_sim.daraja.simulator import DarajaSimulator
from majuu_sim.daraja.statement import StatementRow

__all__ = [
    "SANDBOX_PASSKEY",
    "SANDBOX_SHORTCODE",
    "App",
    "C2BPayment",
    "DarajaConfig",
    "DarajaSimulator",
    "Initiator",
    "Job",
    "Message",
    "Movement",
    "Payment",
    "Posting",
    "Prompt",
    "Registration",
    "Shortcode",
    "StatementRow",
    "Subscriber",
]
