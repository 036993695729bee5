"""Where documents are kept: encrypted, under names that say nothing, in no folder that a web server hands out.

Each file has a key of its own, which the database keeps encrypted; so master keys rotate without touching files, and a
file without its row is noise. It is encrypted in pieces, each bound to its place: none can be left out, moved or taken
from another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.views.decorators.debug import sensitive_variables

from majuu_core.common import randomness
from majuu_core.common.crypto import Cipher
from majuu_core.merchants.kyc.configuration import STORAGE_ALIAS, kyc_root

_PIECE = 256 * 1024
_PURPOSE = "kyc-document"


def kyc_storage() -> Storage:
    """``STORAGES["majuu_kyc"]``, or the folder MAJUU_KYC_ROOT, readable by this process only."""
    if STORAGE_ALIAS in storages.backends:
        return storages[STORAGE_ALIAS]
    return FileSystemStorage(
        location=kyc_root(), base_url=None, file_permissions_mode=0o600, directory_permissions_mode=0o700
    )


def new_file_key() -> str:
    """A key for one file."""
    return randomness.encode_url_safe(randomness.secret_bytes(32))


@sensitive_variables("content", "key", "sealed")
def write_file(content: bytes, *, key: str, bound_to: str) -> str:
    """Keep the bytes, encrypted. Returns the name they are kept under."""
    sealed = b"\n".join(_pieces(content, key, bound_to))
    name = randomness.encode_url_safe(randomness.secret_bytes(20))
    return kyc_storage().save(f"{name[:2]}/{name}", ContentFile(sealed))


@sensitive_variables("key")
def read_file(name: str, *, key: str, bound_to: str) -> bytes:
    """The bytes of a file. Raises OSError when it is gone, DecryptionError when it was changed."""
    with kyc_storage().open(name) as kept:
        pieces = kept.read().split(b"\n")
    cipher = Cipher([key], _PURPOSE)
    count = len(pieces)
    return b"".join(
        cipher.decrypt(piece.decode("ascii", "replace"), bound_to=_place(bound_to, number, count))
        for number, piece in enumerate(pieces)
    )


def delete_file(name: str) -> None:
    """Remove a file; one that is gone already is fine."""
    kyc_storage().delete(name)


@sensitive_variables()
def _pieces(content: bytes, key: str, bound_to: str) -> Iterator[bytes]:
    cipher = Cipher([key], _PURPOSE)
    starts = range(0, max(len(content), 1), _PIECE)
    for number, start in enumerate(starts):
        place = _place(bound_to, number, len(starts))
        yield cipher.encrypt(content[start : start + _PIECE], bound_to=place).encode()


def _place(bound_to: str, number: int, count: int) -> str:
    return f"{bound_to}/{number}/{count}"
