from __future__ import annotations

import json
from typing import Any

import pytest

from majuu_sim.daraja.magic import MAGIC
from majuu_sim.daraja.results import OUTCOMES
from majuu_sim.faults import FOREVER, PRESETS, FaultQueue, FaultRule, FaultScript, Reply


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_survives_json(name: str) -> None:
    script = PRESETS[name]
    assert FaultScript.from_dict(json.loads(json.dumps(script.to_dict()))) == script


def test_a_script_shows_only_what_is_out_of_the_ordinary() -> None:
    assert FaultScript().to_dict() == {}
    assert FaultScript(reply=Reply.ACCEPTED_ERROR, duplicates=2).to_dict() == {
        "reply": "accepted_error",
        "duplicates": 2,
    }


@pytest.mark.parametrize("preset", [*PRESETS.values(), *MAGIC.values()])
def test_presets_and_magic_numbers_speak_of_outcomes_daraja_has(preset: FaultScript) -> None:
    claims = {preset.outcome, preset.event_outcome, preset.stale_outcome, preset.read_outcome} - {None}
    assert claims <= OUTCOMES


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"surprise": 1}, r"unknown fault field\(s\): surprise"),
        ({"duplicates": -1}, "duplicates cannot be -1"),
        ({"duplicates": True}, "duplicates cannot be True"),
        ({"duplicates": 1.5}, "duplicates cannot be 1.5"),
        ({"event_delay": -0.1}, "event_delay cannot be -0.1"),
        ({"event_delay": float("nan")}, "event_delay cannot be nan"),
        ({"event_delay": "5"}, "event_delay cannot be '5'"),
        ({"answer_after": float("inf")}, "answer_after cannot be inf"),
        ({"event_lost": 1}, "event_lost cannot be 1"),
        ({"reply": "nonsense"}, "reply cannot be 'nonsense'"),
        ({"reply": ["normal"]}, "reply cannot be"),
        ({"reply_status": 99}, "reply_status cannot be 99"),
        ({"event_amount": 5}, "event_amount cannot be 5"),
        ({"event_amount": "5.00"}, "event_amount cannot be '5.00'"),
        ({"event_amount": "٥"}, "event_amount cannot be"),
        ({"read_pending": -2}, "read_pending cannot be -2"),
        ({"outcome": 5}, "outcome cannot be 5"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FaultScript.from_dict(data)


@pytest.mark.parametrize("reply", list(Reply))
def test_a_reply_says_whether_the_work_was_done(reply: Reply) -> None:
    assert reply.commits == (reply.value in {"normal"} or reply.value.startswith("accepted"))


def test_the_queue_serves_first_come_first_served_by_operation_and_customer() -> None:
    queue = FaultQueue()
    mine, anyone, query = FaultScript(outcome="cancel"), FaultScript(outcome="timeout"), FaultScript(duplicates=1)
    queue.add(FaultRule(query, "query"))
    queue.add(FaultRule(mine, "push", "254700000099"))
    queue.add(FaultRule(anyone, "push"))
    assert queue.take("push", "254711111111") is anyone
    assert queue.take("push", "254711111111") is None
    assert queue.take("push", "254700000099") is mine
    assert queue.take("query") is query
    assert queue.rules == []


def test_a_rule_is_used_up_after_its_times_or_never() -> None:
    queue = FaultQueue()
    twice = FaultScript(outcome="cancel")
    queue.add(FaultRule(twice, "push", times=2))
    assert [queue.take("push"), queue.take("push"), queue.take("push")] == [twice, twice, None]
    queue.add(FaultRule(twice, "push", times=FOREVER))
    assert [queue.take("push") for _ in range(5)] == [twice] * 5


@pytest.mark.parametrize("times", [0, -2, True, "3"])
def test_a_rule_for_no_request_is_refused(times: Any) -> None:
    queue = FaultQueue()
    with pytest.raises(ValueError, match="times is a positive whole number"):
        queue.add(FaultRule(FaultScript(), "push", times=times))
    assert queue.rules == []
