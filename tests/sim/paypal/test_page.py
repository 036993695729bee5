"""The simulated PayPal's page in the documentation says everything there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from majuu_sim import cli
from majuu_sim.daraja import DarajaSimulator
from majuu_sim.paypal import PaypalSimulator, outcomes
from majuu_sim.paypal.back_office import BackOffice
from majuu_sim.paypal.office import SHAPES
from majuu_sim.simulator import Simulator

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "paypal-simulator.md"


def test_the_example_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(block, str(PAGE), "exec"), {})  # noqa: S102 - our own page


@pytest.mark.parametrize("word", sorted({*PaypalSimulator.operations, *outcomes.EVERY_OUTCOME, *SHAPES}))
def test_every_operation_outcome_and_shape_is_documented(word: str) -> None:
    assert f"`{word}`" in PAGE.read_text()


def test_every_option_is_documented() -> None:
    known = vars(cli.build_parser().parse_args(["paypal"]))
    page = PAGE.read_text()
    options = {f"--{name.replace('_', '-')}" for name in known} - {"--make"}
    assert [one for one in sorted(options) if f"`{one}`" not in page] == []


def test_every_address_is_documented() -> None:
    shared = DarajaSimulator().build_app()
    theirs = {route.resource.canonical for route in shared.router.routes() if route.resource is not None}
    app = PaypalSimulator().build_app()
    paths = {route.resource.canonical for route in app.router.routes() if route.resource is not None} - theirs
    page = PAGE.read_text()
    assert [one for one in sorted(paths) if one not in page] == []


def test_every_method_is_documented() -> None:
    own = {*vars(PaypalSimulator), *vars(BackOffice)} - set(vars(Simulator)) - set(BackOffice.__annotations__)
    methods = {name for name in own if not name.startswith("_") and not name.endswith("_here")}
    page = PAGE.read_text()
    plain = {"account_of", "root_pem", "name", "operations", "outcomes"}
    assert [name for name in sorted(methods - plain) if f"`{name}(" not in page] == []
