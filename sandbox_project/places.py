"""Where the parts of the sandbox are, as the settings say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from django.conf import settings

# In var_folder(), and other ones whenever the simulators are started.
CERTIFICATE_NAME = "daraja-certificate.pem"
PAYPAL_ROOT_NAME = "paypal-root.pem"


def var_folder() -> Path:
    """SANDBOX_VAR: where the database, the secrets and the logs are kept."""
    return Path(str(getattr(settings, "VAR", "var")))


def shop_url() -> str:
    """SANDBOX_SHOP_URL: the demo shop; empty when there is none."""
    return str(getattr(settings, "SANDBOX_SHOP_URL", "")).rstrip("/")


def simulator_url() -> str:
    """SANDBOX_SIMULATOR_URL: the simulated Daraja; empty when there is none."""
    return str(getattr(settings, "SANDBOX_SIMULATOR_URL", "")).rstrip("/")


def stripe_url() -> str:
    """SANDBOX_STRIPE_URL: the simulated Stripe; empty when there is none."""
    return str(getattr(settings, "SANDBOX_STRIPE_URL", "")).rstrip("/")


def paypal_url() -> str:
    """SANDBOX_PAYPAL_URL: the simulated PayPal; empty when there is none."""
    return str(getattr(settings, "SANDBOX_PAYPAL_URL", "")).rstrip("/")


def demo_rate() -> Decimal | None:
    """SANDBOX_DEMO_RATE: dollars for a shilling, for trying things out; None when nothing is promised."""
    rate: Decimal | None = getattr(settings, "SANDBOX_DEMO_RATE", None)
    return rate
