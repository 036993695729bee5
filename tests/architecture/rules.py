"""The house rules that can be read off the source, as functions from a module to the lines that break them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.workspace import dotted, imported_names, place

SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.db.backends.signals")
CLOCK_CALLS = frozenset(
    "datetime.now datetime.utcnow datetime.today date.today timezone.now timezone.localtime timezone.localdate"
    " time.time time.time_ns time.localtime time.gmtime".split()
)
RANDOM_MODULES = ("random", "secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom")
RANDOM_CALLS = frozenset(["os.urandom", "uuid.uuid1", "uuid.uuid4"])
WRITING_METHODS = frozenset(
    "create get_or_create update_or_create bulk_create bulk_update acreate aget_or_create aupdate_or_create"
    " abulk_create abulk_update update aupdate delete adelete".split()
)


def signal_imports(path: Path, tree: ast.Module) -> Iterator[str]:
    """Django's signals: an effect that nobody sees at the place where it is caused."""
    for node, name in imported_names(tree):
        if name.startswith(SIGNALS):
            yield f"{place(path, node)}: {name}"


def wall_clock(path: Path, tree: ast.Module) -> Iterator[str]:
    """Calls that read the machine's time instead of ``majuu_core.common.clock``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if ".".join(name.split(".")[-2:]) in CLOCK_CALLS:
                yield f"{place(path, node)}: {name}()"


def own_randomness(path: Path, tree: ast.Module) -> Iterator[str]:
    """Imports and calls that draw random values instead of ``majuu_core.common.randomness``."""
    for node, name in imported_names(tree):
        if name in RANDOM_MODULES or name.startswith(("random.", "secrets.")):
            yield f"{place(path, node)}: {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in RANDOM_CALLS:
            yield f"{place(path, node)}: {dotted(node.func)}()"


def floats(path: Path, tree: ast.Module) -> Iterator[str]:
    """``float(…)`` and ``FloatField``: no amount survives either."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name == "float" or name.split(".")[-1] == "FloatField":
                yield f"{place(path, node)}: {name}()"


def foreign_writes(path: Path, tree: ast.Module, rooms: tuple[str, ...]) -> Iterator[str]:
    """Rows of other rooms' models made, changed or deleted through the ORM, rather than by those rooms' services."""
    models = {
        name.rpartition(".")[2]
        for _, name in imported_names(tree)
        if any(name.startswith(f"{room}.models.") for room in rooms)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if dotted(node.func) in models:
                yield f"{place(path, node)}: {dotted(node.func)}(…)"
            elif isinstance(node.func, ast.Attribute) and node.func.attr in WRITING_METHODS:
                root = _start_of_chain(node.func.value)
                if root in models:
                    yield f"{place(path, node)}: {root}….{node.func.attr}(…)"


def _start_of_chain(node: ast.AST) -> str:
    """``PaymentIntent`` for ``PaymentIntent.objects.filter(…).order_by(…)``."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
