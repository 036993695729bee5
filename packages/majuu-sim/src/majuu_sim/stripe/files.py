"""Files: evidence for disputes, by multipart upload."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from majuu_sim.stripe import errors
from majuu_sim.stripe.book import Book, Note
from majuu_sim.stripe.errors import Obj, StripeRefusal

MAGIC = {
    "pdf": b"%PDF",
    "jpg": b"\xff\xd8\xff",
    "png": b"\x89PNG",
}
PURPOSES = ("dispute_evidence",)


async def read_upload(request: web.Request, limit: int) -> tuple[str, str, bytes]:
    """Purpose, file name and content of a multipart request; a refusal for anything else."""
    if request.content_type != "multipart/form-data":
        raise StripeRefusal(400, "File uploads must be multipart/form-data.", began=False)
    purpose, name, content = "", "", None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise errors.unknown_parameter("parts")
        if part.name == "purpose":
            purpose = (await part.read(decode=True)).decode("utf-8", "replace")
        elif part.name == "file":
            name, content = part.filename or "file", bytes(await part.read(decode=True))
        else:
            raise errors.unknown_parameter(str(part.name))
    if content is None:
        raise errors.missing("file")
    if not purpose:
        raise errors.missing("purpose")
    if purpose not in PURPOSES:
        raise errors.invalid("purpose", f"Invalid purpose: this simulator takes {', '.join(PURPOSES)}")
    if len(content) > limit:
        raise errors.invalid("file", f"File for key file is too large; the most is {limit} bytes.")
    return purpose, name, content


def make_file(book: Book, purpose: str, name: str, content: bytes) -> Obj:
    """Keep an upload; a refusal for a type the purpose does not take."""
    kinds = [kind for kind, magic in MAGIC.items() if content.startswith(magic)]
    if not kinds:
        raise errors.invalid("file", "Invalid file type: dispute_evidence takes PDF, JPEG and PNG.")
    made_id = book.new_id("file")
    made = {
        "id": made_id,
        "object": "file",
        "created": book.now(),
        "expires_at": None,
        "filename": name,
        "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={made_id}"},
        "purpose": purpose,
        "size": len(content),
        "title": None,
        "type": kinds[0],
        "url": f"https://files.stripe.com/v1/files/{made_id}/contents",
    }
    return book.add(made, Note(content=content))
