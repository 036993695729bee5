"""The loops: what they are, and running all of them down."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from majuu_core.worker.loops import CORE_LOOPS, Loop, LoopsFailed, find_loop, run_all


def answers(*counts: int) -> Callable[[], int]:
    """A function that returns these counts one after the other, then 0."""
    left: Iterator[int] = iter(counts)
    return lambda: next(left, 0)


def loop(name: str, function: Callable[[], int]) -> Loop:
    return Loop(name=name, function=function, pause=1)


def test_everything_is_run_until_a_whole_round_finds_nothing() -> None:
    """given a loop whose work makes another's / when all are run / then both are empty at the end."""
    made: list[str] = []

    def first() -> int:
        return made.pop() == "work" if made else 0

    def second() -> int:
        if len(done) < 3:
            done.append("made")
            made.append("work")
            return 1
        return 0

    done: list[str] = []

    assert run_all([loop("first", first), loop("second", second)]) == 6
    assert made == []


def test_a_failing_loop_does_not_stop_the_others_and_is_named() -> None:
    """given three loops of which one raises / when run / then the others do their work and the error names the one."""
    worked: list[int] = []

    def fail() -> int:
        raise RuntimeError("broken")

    def work() -> int:
        worked.append(1)
        return 1 if len(worked) < 3 else 0

    with pytest.raises(LoopsFailed, match=r"^failed: broken$"):
        run_all([loop("broken", fail), loop("good", work)])

    assert len(worked) >= 3


def test_the_deliverer_takes_part_in_every_round() -> None:
    """given a deliverer and a loop / when all are run / then both are run down."""
    assert run_all([loop("a", answers(2, 1))], deliver=answers(5)) == 8


def test_time_limits_the_rounds() -> None:
    """given a loop that never ends / when run with no time / then it is not even started."""
    assert run_all([loop("endless", lambda: 1)], seconds=0) == 0
    assert run_all([loop("endless", lambda: 1)], seconds=0.05) > 0


@pytest.mark.django_db
@pytest.mark.parametrize("name", [item.name for item in CORE_LOOPS])
def test_every_core_loop_can_be_imported_and_finds_nothing_in_an_empty_database(name: str) -> None:
    """given an empty database / when a core loop runs / then it takes nothing."""
    assert find_loop(name).run() == 0


def test_names_are_unique_and_unknown_ones_are_refused() -> None:
    """given the core loops / when looked up / then each name is one loop, and another name is none."""
    assert len({item.name for item in CORE_LOOPS}) == len(CORE_LOOPS)
    with pytest.raises(LookupError):
        find_loop("no.such")
