from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from majuu_sim import cli
from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaSimulator
from majuu_sim.daraja.config import C2B_SHAPES, EVENT_SHAPES, RESULT_SHAPES
from majuu_sim.daraja.magic import MAGIC, PAYOUT_MAGIC
from majuu_sim.daraja.money import MoneySimulator
from majuu_sim.daraja.results import EVERY_OUTCOME
from majuu_sim.faults import PRESETS, FaultScript, Reply
from majuu_sim.transport import CollectingTransport

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference" / "simulators.md"
HOW_TO = ROOT / "docs" / "how-to" / "simulate-failures.md"
README = ROOT / "packages" / "majuu-sim" / "README.md"


def python_blocks(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)


def test_the_example_of_the_readme_runs() -> None:
    (block,) = python_blocks(README)
    exec(compile(block, str(README), "exec"), {})  # noqa: S102 - our own page


def test_the_examples_of_the_how_to_run() -> None:
    space: dict[str, object] = {"__name__": "page"}
    for block in python_blocks(HOW_TO):
        exec(compile(block, str(HOW_TO), "exec", dont_inherit=True), space)  # noqa: S102 - our own page
    assert {"daraja", "unknown_but_paid", "hear_of_it_at_last", "a_day_with_errors"} <= set(space)
    with DarajaSimulator(clock=VirtualClock()) as sim:
        space["unknown_but_paid"](sim)  # type: ignore[operator]
        assert sim.state()["faults"][0]["script"] == {
            "reply": "accepted_timeout",
            "event_lost": True,
            "read_unavailable": 2,
        }
    with DarajaSimulator(clock=VirtualClock(), transport=CollectingTransport()) as sim:
        (lost,) = space["a_day_with_errors"](sim)  # type: ignore[operator]
        said = space["what_the_provider_says"](sim, date(2026, 1, 15))  # type: ignore[operator]
        assert said[lost] == 250
        assert list(said.values()) == [250, 90, 400, -500]


@pytest.mark.parametrize("digits", sorted(MAGIC))
def test_every_magic_number_is_documented(digits: str) -> None:
    assert f"| 0700 000 0{digits} |" in REFERENCE.read_text()


def test_no_other_magic_number_is_documented() -> None:
    documented = re.findall(r"\| 0700 000 0(\d\d) \|", REFERENCE.read_text())
    assert sorted(documented) == sorted([*MAGIC, *PAYOUT_MAGIC])


@pytest.mark.parametrize(
    "word",
    sorted(
        {
            *PRESETS,
            *EVERY_OUTCOME,
            *DarajaSimulator.operations,
            *EVENT_SHAPES,
            *C2B_SHAPES,
            *RESULT_SHAPES,
            *(spec.name for spec in fields(FaultScript)),
            *(reply.value for reply in Reply),
        }
    ),
)
def test_every_preset_outcome_field_and_reply_is_documented(word: str) -> None:
    assert f"`{word}`" in REFERENCE.read_text()


def test_every_option_is_documented() -> None:
    help_text = cli.build_parser().parse_args(["daraja"])
    options = {f"--{name.replace('_', '-')}" for name in vars(help_text)} - {"--make"}
    page = REFERENCE.read_text()
    assert [option for option in sorted(options) if f"`{option}" not in page] == []


def test_every_address_is_documented() -> None:
    app = DarajaSimulator().build_app()
    paths = {route.resource.canonical for route in app.router.routes() if route.resource is not None}
    page = REFERENCE.read_text().replace("{id or number}", "{who}")
    assert [path for path in sorted(paths) if path not in page] == ["/{anything}"]


def test_every_method_is_documented() -> None:
    methods = {name for name in vars(MoneySimulator) if not name.startswith("_") and not name.endswith("_here")}
    page = REFERENCE.read_text()
    assert [name for name in sorted(methods - set(MoneySimulator.__annotations__)) if f"`{name}(" not in page] == []
