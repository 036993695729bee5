"""Reads event types out of the documentation and out of the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from majuu_core.events.catalogue import ENDPOINT_DISABLED, TEST_EVENT

_ROOT = Path(__file__).parents[3]
_PAYMENTS = _ROOT / "packages" / "majuu-core" / "src" / "majuu_core" / "payments"
_WALLETS = _PAYMENTS.parent / "wallets"
# Named in many ways in the rooms of incoming money, and never for anything but an event (and its audit entry).
_INCOMING = re.compile(r"incoming_payment\.[a-z_]+|saved_method\.(?:active|failed|removed)")
_ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+) \|$", re.MULTILINE)


def documented_types() -> dict[str, str]:
    """The table of docs/reference/events.md."""
    return dict(_ROW.findall((_ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")))


def written_types() -> set[str]:
    """The types of payments (planned for an intent or a charge, or added), of wallets, and the webhook room's two."""
    found = {ENDPOINT_DISABLED, TEST_EVENT}
    for path in sorted([*_PAYMENTS.glob("*.py"), *_WALLETS.glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {str(item.value) for item in _types_in(node) if isinstance(item, ast.Constant) and item.value}
            if isinstance(node, ast.Constant) and _INCOMING.fullmatch(str(node.value)):
                found.add(str(node.value))
    return found


def _types_in(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "add_event":
        yield from node.args[2:3]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "records_of":
        yield from node.args[1:2]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Dict):
        if node.target.id in {"PAYOUT_EVENTS", "REFUND_EVENTS", "DISPUTE_EVENTS"}:
            yield from node.value.values
    if isinstance(node, ast.Assign):
        for target, value in _pairs(node.targets[0], node.value):
            if isinstance(target, ast.Attribute) and target.attr in {"charge_event", "intent_event"}:
                yield value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value
