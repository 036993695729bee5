from __future__ import annotations

import random
import re
from datetime import UTC, datetime

import pytest

from majuu_sim.daraja.formats import access_token, checkout_request_id, eat_digits, parse_eat, receipt, request_id

EVENING = datetime(2026, 5, 4, 22, 30, 5, 237000, tzinfo=UTC)  # already the 5th in Nairobi


def test_times_are_east_african_without_a_mark() -> None:
    assert eat_digits(EVENING) == "20260505013005"
    assert parse_eat("20260505013005") == EVENING.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    ["", "2026050501300", "202605050130055", "20261305013005", "2026050501300a", "２" * 14],
)
def test_other_timestamps_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_eat(text)


@pytest.mark.parametrize(
    ("moment", "prefix"),
    [
        (datetime(2017, 1, 1, 12, tzinfo=UTC), "LA1"),
        (datetime(2019, 12, 19, 7, tzinfo=UTC), "NLJ"),
        (datetime(2023, 2, 10, 12, tzinfo=UTC), "RBA"),
        (datetime(2026, 5, 4, 12, tzinfo=UTC), "UE4"),
        (datetime(2026, 8, 31, 12, tzinfo=UTC), "UHV"),
        (EVENING, "UE5"),
    ],
)
def test_a_receipt_begins_with_year_month_and_day(moment: datetime, prefix: str) -> None:
    made = receipt(moment, random.Random(1))
    assert re.fullmatch(prefix + "[A-Z0-9]{7}", made)


def test_a_checkout_request_id_holds_the_moment_and_nine_digits_of_the_number() -> None:
    assert checkout_request_id(EVENING, "254708374149") == "ws_CO_05052026013005237708374149"


def test_ids_repeat_with_the_seed_and_differ_without() -> None:
    made = [(request_id(random.Random(seed), 7), access_token(random.Random(seed))) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}7", made[0][0])
    assert re.fullmatch(r"[A-Za-z0-9]{28}", made[0][1])
