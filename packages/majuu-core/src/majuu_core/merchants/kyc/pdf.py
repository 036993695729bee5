"""PDF documents: whole ones that show pages and do nothing else. Anything that could run or hide is refused.

A PDF is not drawn anew, so this is a filter, and one that prefers to refuse. Names are compared after their ``#xx``
escapes are undone, and the insides of compressed streams are looked into as well. Links, and the page a file opens at,
are left alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from majuu_core.common.problems import Invalid

# Actions that run or fetch, attachments, forms with scripts, and what cannot be looked into.
FORBIDDEN = frozenset(
    {
        "JavaScript",
        "Launch",
        "EmbeddedFile",
        "EmbeddedFiles",
        "FileAttachment",
        "RichMedia",
        "XFA",
        "SubmitForm",
        "ImportData",
        "GoToR",
        "GoToE",
        "Movie",
        "Sound",
        "Rendition",
        "Encrypt",
    }
)
_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]+)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
# Two letters are found in any picture by chance; as the key of a script they are followed by a text or a reference.
_SCRIPT = re.compile(rb"/(?:J|#4[aA])(?:S|#53)[\x00\t\n\x0c\r ]*[(<%\d]")
_STREAM = re.compile(rb"stream\r?\n")
_HEADER = 2048
_OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
# Objects may lie in a stream. Packed otherwise than once by Flate (a predictor, a filter that is named elsewhere or
# twice), they could not be seen; so such a stream is as writers of PDF make it, or it is refused.
_OBJECT_STREAM = re.compile(
    rb"\s*<<(?:\s*/(?:Type\s*/ObjStm|(?:N|First)\s+\d+|(?:Length|Extends)\s+\d+(?:\s+\d+\s+R)?"
    rb"|Filter\s*(?:/FlateDecode|\[\s*/FlateDecode\s*\])))+\s*>>\s*"
)
_MOST_STREAMS = 20_000
_MOST_READ = 128 * 1024 * 1024
_MOST_INFLATED = 64 * 1024 * 1024
_PIECE = 64 * 1024
_TRAILER_WITHIN = 1024
_HINT = "Print it to a new PDF, or upload pictures of its pages."


def check_pdf(content: bytes) -> None:
    """Raises Invalid: ``kyc_pdf_broken`` for half a file, ``kyc_pdf_active`` for one that does more than show pages,
    ``kyc_pdf_too_large`` for one that unpacks to more than can be looked at.
    """
    end = content[-_TRAILER_WITHIN:]
    if not re.match(rb"%PDF-[12]\.\d", content) or b"%%EOF" not in end or b"startxref" not in end:
        raise Invalid("kyc_pdf_broken", f"The PDF is not whole. {_HINT}", field="file")
    for part in (content, *_inflated(content)):
        found = FORBIDDEN.intersection(_names(part)) | ({"JS"} if _SCRIPT.search(part) else set())
        if found:
            raise _active(", ".join(sorted(found)))


def _active(what: str) -> Invalid:
    return Invalid("kyc_pdf_active", f"The PDF holds more than pages ({what}). {_HINT}", field="file")


def _names(part: bytes) -> Iterator[str]:
    for match in _NAME.finditer(part):
        plain = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), match[1])
        yield plain.decode("latin-1")


def _inflated(content: bytes) -> Iterator[bytes]:
    """What compressed streams hold. Raises Invalid for more than can be looked at, and for hidden objects."""
    left, to_read, to_find = _MOST_INFLATED, _MOST_READ, _names_of_object_streams(content)
    for number, match in enumerate(_STREAM.finditer(content)):
        if not content.endswith(b"end", 0, match.start()):
            to_find -= _is_object_stream(content[max(match.start() - _HEADER, 0) : match.start()])
        part, read = _inflate(content, match.end(), left)
        left, to_read = left - len(part), to_read - read
        if left <= 0 or to_read <= 0 or number >= _MOST_STREAMS:
            raise Invalid("kyc_pdf_too_large", f"The PDF is too large when unpacked. {_HINT}", field="file")
        yield part
    if to_find > 0:
        raise _active("hidden objects")


def _names_of_object_streams(content: bytes) -> int:
    return sum(name == "ObjStm" for name in _names(content))


def _is_object_stream(before: bytes) -> bool:
    """Whether the stream after these bytes holds objects that can be seen. Raises Invalid when they cannot."""
    start = max((match.end() for match in _OBJECT.finditer(before)), default=0)
    header = before[start:]
    names = set(_names(header))
    if not names & {"ObjStm", "First"}:
        return False
    if not _OBJECT_STREAM.fullmatch(header) or header.count(b"/Filter") > 1:
        raise _active("hidden objects")
    return "ObjStm" in names


def _inflate(content: bytes, start: int, most: int) -> tuple[bytes, int]:
    """What is packed there, and how many bytes were read for it; nothing when it is not packed this way: a picture, or
    text that was looked at already.

    The end is where the packing says, not where the file says: a reader may believe either.
    """
    opener, parts, length, read = zlib.decompressobj(), [], 0, 0
    try:
        for place in range(start, len(content), _PIECE):
            part = opener.decompress(content[place : place + _PIECE], most - length)
            parts.append(part)
            length += len(part)
            read += _PIECE - len(opener.unused_data)
            if opener.eof or length >= most:
                break
    except zlib.error:
        pass  # a broken end: what came before it was unpacked, and a reader may use it too
    return b"".join(parts), read
