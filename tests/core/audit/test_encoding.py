"""The canonical spelling: no two different entries are written the same, and every column is in it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from majuu_core.audit.encoding import BEGINNING, COLUMNS, canonical, entry_record, seal_hash
from majuu_core.audit.models import AuditEntry

TEXTS = st.text(st.characters(codec=None), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
ENTRIES = st.fixed_dictionaries(
    {name: st.none() | TEXTS for name in COLUMNS if name != "changes"} | {"changes": st.dictionaries(TEXTS, VALUES)}
)


def exact(value: Any) -> Any:
    """The value with its types, so that 1, 1.0 and True differ, and the order of keys does not matter."""
    if isinstance(value, dict):
        return ("dict", frozenset((key, exact(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", tuple(exact(item) for item in value))
    return (type(value).__name__, repr(value))


@settings(max_examples=150, deadline=None)
@given(ENTRIES, ENTRIES)
def test_different_entries_are_written_differently(one: dict[str, Any], other: dict[str, Any]) -> None:
    """given any entries / when written / then each can be read back exactly, so no other is written the same."""
    for entry in (one, other):
        assert exact(json.loads(canonical(entry))) == exact(entry)
    assert (canonical(one) == canonical(other)) == (exact(one) == exact(other))


@settings(max_examples=50, deadline=None)
@given(ENTRIES, st.sampled_from(COLUMNS), VALUES)
def test_another_value_of_any_column_is_another_hash(entry: dict[str, Any], column: str, value: Any) -> None:
    """given an entry / when one column gets another value / then the hash is another."""
    changed = {**entry, column: value}
    place: dict[str, Any] = {"chain": "platform", "sequence": 1, "previous": BEGINNING, "sealed_at": ""}
    same = seal_hash(**place, entry=entry) == seal_hash(**place, entry=changed)
    assert same == (exact(entry) == exact(changed))


def test_the_order_of_keys_does_not_matter() -> None:
    """given the same entry with its columns in another order / when written / then the same."""
    entry = dict.fromkeys(COLUMNS)
    assert canonical(entry) == canonical(dict(reversed(entry.items())))


def test_every_column_of_the_table_is_covered() -> None:
    """given the model / when its columns are listed / then they are those that are hashed."""
    assert tuple(field.attname for field in AuditEntry._meta.concrete_fields) == COLUMNS
    assert tuple(entry_record(AuditEntry(personal={"remote_addr": ["key", "text"]}))) == COLUMNS
    assert tuple(entry_record(AuditEntry())) == tuple(name for name in COLUMNS if name != "personal")
