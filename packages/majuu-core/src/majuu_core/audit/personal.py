"""Personal data in the trail: encrypted with a key of the person's own, so that it can be erased and the chain stays.

What an entry holds is ciphertext, and ciphertext is what its hash covers. The keys are rows of their own, sealed with
the site's master keys. Erasing a person deletes their keys: nobody can read that data again, and no hash changes.

A subject is named by a text: ``user:7``, ``email:jane@example.com``, ``phone:+254712345678``, or a public id such as
``cus_…`` or ``pi_…``. The table holds a keyed hash of it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from majuu_core.audit.actions import action_registry
from majuu_core.audit.models import AuditEntry, AuditSubjectKey
from majuu_core.common import randomness
from majuu_core.common.crypto import DecryptionError, decrypt_with, encrypt_with, keyed_hash
from majuu_core.configuration import encryption_keys
from majuu_core.database.sealed import SealedColumn

_PURPOSE = "audit-subjects"
_KEY_LENGTH = 32
# Whose data nobody can tell: they share one key, which goes when somebody erases it.
NOBODY_KNOWN = "unknown"
ERASED = "[erased]"
HIDDEN = "[hidden]"
_ADDRESS = "remote_addr"
_CHANGES = "changes."
_CHUNK = 500


def user_subject(user_id: object) -> str:
    """The name of a person who signs in here."""
    return f"user:{user_id}"


def email_subject(address: str) -> str:
    """The name of whoever an e-mail address belongs to, in any spelling."""
    return f"email:{address.strip().lower()}"


def phone_subject(number: str) -> str:
    """The name of whoever a telephone number belongs to; spaces and dashes do not count."""
    return f"phone:{''.join(character for character in number if character.isdigit())}"


def _after_reseal(row: AuditSubjectKey) -> None:
    # The row was read before: its value still opens with the older key.
    name = json.loads(SEALED.open(row))["subject"]
    AuditSubjectKey.objects.filter(pk=row.pk).update(subject=_hashed(name, encryption_keys()[0]))


SEALED = SealedColumn(
    model="majuu_audit.AuditSubjectKey",
    column="sealed",
    purpose=_PURPOSE,
    bound_to=lambda row: str(row.pk),
    after_reseal=_after_reseal,
)


def encrypt_personal(entry: AuditEntry, *, actor: str, about: str) -> None:
    """Move what is personal out of the open columns of a new entry into ``personal``.

    ``actor`` is whose address it is, "" when it is no person's; ``about`` is whom the changes speak of.
    """
    wanted = action_registry.personal_fields(entry.action)
    found = {f"{_CHANGES}{name}": entry.changes.pop(name) for name in sorted(wanted & entry.changes.keys())}
    keys = _OwnKeys()
    entry.personal = {name: keys.encrypt(about, entry, name, value) for name, value in found.items()}
    if actor:
        entry.personal[_ADDRESS] = keys.encrypt(actor, entry, _ADDRESS, entry.remote_addr)
        entry.remote_addr = ""


class _OwnKeys:
    """The keys of the subjects of one entry; a new subject gets one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[uuid.UUID, bytes]] = {}

    def encrypt(self, subject: str, entry: AuditEntry, name: str, value: Any) -> list[str]:
        if subject not in self._known:
            self._known[subject] = _find_key(subject) or _make_key(subject)
        number, key = self._known[subject]
        return [str(number), encrypt_with(key, json.dumps(value).encode(), bound_to=_place(entry.pk, name))]


def _find_key(subject: str) -> tuple[uuid.UUID, bytes] | None:
    for row in AuditSubjectKey.objects.filter(subject__in=_hashes([subject])).order_by("pk")[:1]:
        return row.pk, _open(row)
    return None


def _make_key(subject: str) -> tuple[uuid.UUID, bytes]:
    key = randomness.secret_bytes(_KEY_LENGTH)
    row = AuditSubjectKey(subject=_hashed(subject, encryption_keys()[0]))
    row.sealed = SEALED.seal(row, json.dumps({"subject": subject, "key": key.hex()}).encode())
    row.save(force_insert=True)
    return row.pk, key


def _open(row: AuditSubjectKey) -> bytes:
    return bytes.fromhex(json.loads(SEALED.open(row))["key"])


def destroy_keys(subjects: Iterable[str]) -> int:
    """Erase these people from the trail, for good. Returns how many keys were destroyed."""
    names = sorted(set(subjects))
    done = 0
    for start in range(0, len(names), _CHUNK // 4):
        deleted, _ = AuditSubjectKey.objects.filter(subject__in=_hashes(names[start : start + _CHUNK // 4])).delete()
        done += deleted
    return done


def count_keys(subjects: Iterable[str]) -> int:
    """How many keys these people have in the trail."""
    names = sorted(set(subjects))
    steps = range(0, len(names), _CHUNK // 4)
    rows = AuditSubjectKey.objects
    return sum(rows.filter(subject__in=_hashes(names[at : at + _CHUNK // 4])).count() for at in steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """An entry's address and changes as they were, with "[erased]" where the key is gone."""

    remote_addr: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


def read_personal(entries: Iterable[AuditEntry]) -> dict[uuid.UUID, Readable]:
    """Decrypt what is personal in these entries. One query for some hundred entries."""
    rows = list(entries)
    keys = _keys_of(rows)
    return {row.pk: _joined(row, _opened(row, keys)) for row in rows}


def read_addresses(entries: Iterable[AuditEntry], *, allowed: bool) -> dict[uuid.UUID, str]:
    """From where each was done; "[hidden]" for a person's when that may not be seen. Their changes are not read."""
    rows = list(entries)
    keys = _keys_of(rows) if allowed else {}
    return {row.pk: _address(row, keys) if allowed else _hidden_address(row) for row in rows}


def _address(row: AuditEntry, keys: Mapping[str, bytes]) -> str:
    return str(_opened(row, keys).get(_ADDRESS, row.remote_addr))


def _hidden_address(row: AuditEntry) -> str:
    return HIDDEN if _ADDRESS in _values(row) else row.remote_addr


def hide_personal(entry: AuditEntry) -> Readable:
    """The entry for somebody who may not see personal data."""
    return _joined(entry, dict.fromkeys(_values(entry), HIDDEN))


def _keys_of(rows: Iterable[AuditEntry]) -> dict[str, bytes]:
    # One number that no key has, so that a page asks as often without personal data as with it.
    numbers = [str(uuid.UUID(int=0)), *sorted({place[0] for row in rows for place in _values(row).values()})]
    found: dict[str, bytes] = {}
    for start in range(0, len(numbers), _CHUNK):
        for row in AuditSubjectKey.objects.filter(pk__in=numbers[start : start + _CHUNK]):
            found[str(row.pk)] = _open(row)
    return found


def _values(row: AuditEntry) -> dict[str, tuple[str, str]]:
    """The ciphertexts of an entry. What has not their form, which only meddling can bring about, is none."""
    found = row.personal if isinstance(row.personal, dict) else {}
    return {
        name: (value[0], value[1])
        for name, value in found.items()
        if isinstance(value, list) and len(value) == 2 and _is_uuid(value[0]) and isinstance(value[1], str)
    }


def _is_uuid(text: object) -> bool:
    try:
        return str(uuid.UUID(str(text))) == text
    except ValueError:
        return False


def _opened(row: AuditEntry, keys: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: _decrypted(row, name, keys.get(place[0]), place[1]) for name, place in _values(row).items()}


def _decrypted(row: AuditEntry, name: str, key: bytes | None, value: str) -> Any:
    if key is None:
        return ERASED
    try:
        return json.loads(decrypt_with(key, value, bound_to=_place(row.pk, name)))
    except DecryptionError:
        return "[changed]"


def _joined(row: AuditEntry, values: Mapping[str, Any]) -> Readable:
    changes = {name.removeprefix(_CHANGES): value for name, value in values.items() if name.startswith(_CHANGES)}
    return Readable(
        remote_addr=str(values.get(_ADDRESS, row.remote_addr)),
        changes={**(row.changes if isinstance(row.changes, dict) else {}), **changes},
    )


def _place(entry_id: uuid.UUID, name: str) -> str:
    return f"{entry_id}/{name}"


def _hashes(subjects: Iterable[str]) -> list[str]:
    return [_hashed(subject, master) for subject in subjects for master in encryption_keys()]


def _hashed(subject: str, master: str) -> str:
    return keyed_hash(master, _PURPOSE, subject.encode()).hex()
