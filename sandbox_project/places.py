"""Where the parts of the sandbox are, as the settings say."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

CERTIFICATE_NAME = "daraja-certificate.pem"  # in var_folder(); the simulator writes it when it starts


def var_folder() -> Path:
    """SANDBOX_VAR: where the database, the secrets and the logs are kept."""
    return Path(str(getattr(settings, "VAR", "var")))


def shop_url() -> str:
    """SANDBOX_SHOP_URL: the demo shop; empty when there is none."""
    return str(getattr(settings, "SANDBOX_SHOP_URL", "")).rstrip("/")


def simulator_url() -> str:
    """SANDBOX_SIMULATOR_URL: the simulated Daraja; empty when there is none."""
    return str(getattr(settings, "SANDBOX_SIMULATOR_URL", "")).rstrip("/")
