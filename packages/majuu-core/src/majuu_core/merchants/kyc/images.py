"""Pictures of documents, drawn anew: what is not a pixel (places, cameras, comments, hidden bytes) is gone."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

from PIL import Image, ImageOps

from majuu_core.common.problems import Invalid

MOST_PIXELS = 50_000_000
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
# In how many ways a decoder fails on a broken file.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
_UNREADABLE = "The picture cannot be read. Save it anew as JPEG or PNG and upload that."


def clean_image(content: bytes, content_type: str) -> bytes:
    """The same picture, turned the right way up, in the same format and with nothing else in the file.

    Raises Invalid (``kyc_picture_unreadable``, ``kyc_picture_too_large``) before a bomb goes off: the size is read
    first.
    """
    kind = _FORMATS[content_type]
    try:
        # Only the decoder that the bytes name, and no warning is enough: MOST_PIXELS decides.
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            picture = Image.open(io.BytesIO(content), formats=[kind])
        _check_size(picture)
        picture.load()
        return _drawn_anew(picture, kind)
    except Invalid:
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    except _BROKEN:
        raise Invalid("kyc_picture_unreadable", _UNREADABLE, field="file") from None


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large()


def _too_large() -> Invalid:
    message = f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller."
    return Invalid("kyc_picture_too_large", message, field="file")


def _drawn_anew(picture: Image.Image, kind: str) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    has_alpha = kind == "PNG" and ("A" in upright.getbands() or "transparency" in upright.info)
    pixels = upright.convert("RGBA" if has_alpha else "RGB")
    # A new picture has none of the old one's attributes, whatever the format keeps them in.
    fresh = Image.new(pixels.mode, pixels.size)
    fresh.paste(pixels)
    written = io.BytesIO()
    fresh.save(written, kind, quality=90) if kind == "JPEG" else fresh.save(written, kind, optimize=False)
    return written.getvalue()
