"""Dynamic QR: a picture of the asked size and a record of what it should say. The picture cannot be scanned."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import struct
import zlib
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from majuu_sim.daraja import formats, refusals
from majuu_sim.daraja.checking import matching, text_in
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.front import Body, Front, as_json, read_body
from majuu_sim.faults import FaultScript

QR_CODE = "qr_code"
MODULES = 29  # squares in a row
_TYPES = re.compile("BG|WA|PB|SM|SB")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_CPI = re.compile("[0-9]{5,12}")
_SIZE = re.compile("[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class QrCode:
    """What a code was asked to say."""

    merchant_name: str
    reference: str
    amount: str
    kind: str  # BG buy goods, WA withdraw at agent, PB paybill, SM send money, SB to business
    receiver: str
    size: int

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return asdict(self)


def check_qr(body: Body, config: DarajaConfig) -> QrCode:
    """The code a body asks for; Refusal names the first field that is wrong."""
    return QrCode(
        merchant_name=_named(body, "MerchantName"),
        reference=_named(body, "RefNo"),
        amount=matching(body, "Amount", _AMOUNT),
        kind=matching(body, "TrxCode", _TYPES),
        receiver=matching(body, "CPI", _CPI),
        size=int(matching(body, "Size", _SIZE)),
    )


def _named(body: Body, name: str) -> str:
    value = text_in(body, name)
    if not 1 <= len(value) <= 100:
        raise refusals.invalid_field(name)
    return value


def picture(code: QrCode) -> bytes:
    """A black-and-white PNG of ``size`` pixels square, with a pattern that depends on what the code says."""
    digest = hashlib.sha256(repr(code).encode()).digest() * 4
    pixels = bytearray()
    for y in range(code.size):
        row = bytearray((code.size + 7) // 8)
        for x in range(code.size):
            if _is_white(digest, x * MODULES // code.size, y * MODULES // code.size):
                row[x // 8] |= 0x80 >> (x % 8)
        pixels += b"\x00" + row
    header = struct.pack(">IIBBBBB", code.size, code.size, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(pixels), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _is_white(digest: bytes, x: int, y: int) -> bool:
    """A frame, and noise within."""
    if x in (0, MODULES - 1) or y in (0, MODULES - 1):
        return False
    bit = (x * MODULES + y) % (len(digest) * 8)
    return bool(digest[bit // 8] >> (bit % 8) & 1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class QrGateway:
    """The handler of the QR address."""

    def __init__(self, *, front: Front, rng: random.Random) -> None:
        """Keep what was asked."""
        self._front = front
        self._rng = rng
        self.codes: list[QrCode] = []

    def add_routes(self, app: web.Application) -> None:
        """Add the address."""
        app.router.add_route("*", "/mpesa/qrcode/v1/generate", self._front.product(self.generate, refusals.EXPRESS))

    async def generate(self, request: web.Request, token: str) -> web.StreamResponse:
        """Answer with a picture at once."""
        code = check_qr(await read_body(request), self._front.config)
        script = self._front.faults.take(QR_CODE) or FaultScript()
        if not script.reply.commits:
            return await self._front.reply(request, script, None, token=token)
        self.codes.append(code)
        return await self._front.reply(request, script, as_json(self._answer(code, script)), token=token)

    def _answer(self, code: QrCode, script: FaultScript) -> dict[str, str]:
        """``event_shape`` "text" answers as the documentation's sample does: with an id for a ResponseCode."""
        documented = script.event_shape == "text"
        return {
            "ResponseCode": formats.conversation_id(self._front.clock.now(), self._rng) if documented else "00",
            "RequestID": self._front.next_request_id(),
            "ResponseDescription": "QR Code Successfully Generated.",
            "QRCode": base64.b64encode(picture(code)).decode(),
        }
