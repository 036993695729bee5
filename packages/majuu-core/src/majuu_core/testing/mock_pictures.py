"""The pictures of the mock provider: squares in black and white that follow from a text, as a PNG."""

from __future__ import annotations

import hashlib
import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SQUARES = 16  # a side; 256 squares are the bits of one SHA-256
MIN_SIZE, MAX_SIZE = 64, 1000


def draw_code(text: str, size: int) -> bytes:
    """A square grey-scale PNG of about ``size`` pixels. The same text gives the same picture."""
    scale = min(max(size, MIN_SIZE), MAX_SIZE) // _SQUARES
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    bits = [digest[index // 8] >> index % 8 & 1 for index in range(_SQUARES * _SQUARES)]
    rows = []
    for top in range(0, len(bits), _SQUARES):
        pixels = b"".join((b"\x00" if bit else b"\xff") * scale for bit in bits[top : top + _SQUARES])
        rows.append((b"\x00" + pixels) * scale)
    side = scale * _SQUARES
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(b"".join(rows))), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
