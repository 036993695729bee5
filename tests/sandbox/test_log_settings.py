"""Log lines hold no secrets, wherever they come from."""

from __future__ import annotations

import logging
import sys

import pytest

from sandbox_project.log_settings import RedactingFormatter, logging_settings

SECRET = "7k3m9p2x7k3m9p2x7k3m9p2x7k3m9p2x"


def line(message: str, *arguments: object) -> str:
    record = logging.LogRecord("majuu.test", logging.WARNING, __file__, 1, message, arguments, None)
    return RedactingFormatter("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"Not Found: /in/p01m7y2gasbe5cabhkbsmyd72ft/{SECRET}", "/in/p01m7y2gasbe5cabhkbsmyd72ft/[redacted]"),
        ("Bad Request: /pay/866x6j4hkwkynphhx3hjjkpkfj9uum8f", "/pay/[redacted]"),
        ("Authorization: Bearer sk_test_1IE70RCGgEwl5qJCZyjv57V9GcoP2y8B", "Bearer [redacted]"),
        ("card 4111 1111 1111 1111", "card [redacted]"),
    ],
)
def test_secrets_are_masked(message: str, shown: str) -> None:
    assert line(message).endswith(shown)


def test_arguments_are_masked_too() -> None:
    assert SECRET not in line("callback to %s", f"/in/p01m7y2gasbe5cabhkbsmyd72ft/{SECRET}")


def test_tracebacks_are_masked_too() -> None:
    try:
        raise ValueError(f"/in/p01m7y2gasbe5cabhkbsmyd72ft/{SECRET}")
    except ValueError:
        record = logging.LogRecord("majuu", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())

    shown = RedactingFormatter("%(message)s").format(record)

    assert "Traceback" in shown
    assert SECRET not in shown


def test_every_handler_uses_the_redacting_formatter() -> None:
    config = logging_settings("DEBUG")

    used = {config["formatters"][handler["formatter"]]["()"] for handler in config["handlers"].values()}
    assert used == {"sandbox_project.log_settings.RedactingFormatter"}
    assert config["loggers"]["majuu"]["level"] == "DEBUG"
