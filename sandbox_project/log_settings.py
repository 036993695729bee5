"""Logging: one line a record on standard error, in UTC, without secrets."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

from majuu_core.common.redaction import MASK, redact_text

# Whoever has a payment link may pay with it; a log has no need of it.
_PAYMENT_LINK = re.compile(r"(/pay/)[0-9a-z]{16,}")


class RedactingFormatter(logging.Formatter):
    """Masks keys, tokens, card numbers, payment links and the secrets of callback addresses, in tracebacks too."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """The finished line."""
        return _PAYMENT_LINK.sub(rf"\1{MASK}", redact_text(super().format(record)))


def logging_settings(level: str) -> dict[str, Any]:
    """``LOGGING`` with this level for our own records; what libraries say counts from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": f"{__name__}.RedactingFormatter",
                "format": "%(asctime)sZ %(levelname)-7s %(name)s: %(message)s",
                "datefmt": "%Y-%m-%dT%H:%M:%S",
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "majuu": {"level": level},
            "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # django-q2 would add a handler of its own, which redacts nothing.
            "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
