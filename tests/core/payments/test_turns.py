"""Turns: a number per account, given back whatever happens."""

from __future__ import annotations

import uuid

import pytest

from majuu_core.payments.turns import Turns

ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def test_an_account_has_so_many_turns_and_no_more() -> None:
    """given two turns / when a third thread asks / then it gets none, and another account still has its own."""
    turns = Turns(2)
    with turns.take(ONE) as first, turns.take(ONE) as second, turns.take(ONE) as third, turns.take(OTHER) as other:
        assert (first, second, third, other) == (True, True, False, True)
        assert turns.busy() == [ONE]
    assert turns.busy() == []


def test_a_turn_is_given_back_when_the_work_fails() -> None:
    turns = Turns(1)
    with pytest.raises(LookupError), turns.take(ONE):
        raise LookupError
    with turns.take(ONE) as mine:
        assert mine


def test_who_got_no_turn_gives_none_back() -> None:
    turns = Turns(1)
    with turns.take(ONE):
        with turns.take(ONE) as mine:
            assert not mine
        assert turns.busy() == [ONE]


def test_rows_without_an_account_are_not_limited() -> None:
    turns = Turns(1)
    with turns.take(None) as first, turns.take(None) as second:
        assert (first, second, turns.busy()) == (True, True, [])
