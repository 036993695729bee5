"""Telephone numbers that always behave in one way, for demonstrations and tests by hand: 0700 000 001 and so on."""

from __future__ import annotations

from majuu_sim.faults import PRESETS, FaultScript, Reply

MAGIC_PREFIX = "2547000000"

# Last two digits → what happens.
MAGIC: dict[str, FaultScript] = {
    "00": PRESETS["normal"],
    "01": FaultScript(outcome="cancel"),
    "02": FaultScript(outcome="insufficient"),
    "03": FaultScript(outcome="wrong_pin"),
    "04": FaultScript(outcome="timeout"),
    "05": FaultScript(outcome="expired"),
    "06": PRESETS["lost"],
    "07": PRESETS["duplicate"],
    "08": PRESETS["late"],
    "09": PRESETS["pending_then_final"],
    "10": FaultScript(outcome="unknown_operator"),
    "11": FaultScript(outcome="pin_locked"),
    "12": FaultScript(outcome="push_error"),
    "13": FaultScript(outcome="system_busy"),
    "14": PRESETS["accepted_5xx"],
    "15": PRESETS["timeout_after_commit"],
    "16": PRESETS["refuse_before_commit"],
    "17": PRESETS["wrong_amount"],
    "18": PRESETS["forged_success"],
    "19": PRESETS["event_before_reply"],
    "20": PRESETS["locked"],
    "21": PRESETS["spike_arrest"],
    "22": PRESETS["disagree"],
    "23": PRESETS["stale_failure"],
    "24": PRESETS["html_body"],
    "25": PRESETS["empty_body"],
    "26": PRESETS["read_unavailable"],
    "27": PRESETS["token_dies_after"],
    "28": PRESETS["slow_customer"],
    "29": FaultScript(outcome="manual"),
    "30": FaultScript(reply=Reply.ACCEPTED_TIMEOUT, event_lost=True),
}

# The same for numbers that are paid out to. A number above whose payout is not told here behaves in the same way
# when it is paid: its result is lost, late, doubled and so on.
PAYOUT_MAGIC: dict[str, FaultScript] = {
    "10": FaultScript(outcome="not_on_mpesa"),
    "31": FaultScript(outcome="not_registered"),
    "32": FaultScript(outcome="receiver_full"),
    "33": PRESETS["queue_timeout"],
    "34": PRESETS["queue_timeout_lost"],
    "35": PRESETS["queue_timeout_undone"],
    "36": FaultScript(outcome="internal_failure"),
}


def magic_script(msisdn: str) -> FaultScript | None:
    """The script of a magic number; None for every other number."""
    if len(msisdn) != 12 or not msisdn.startswith(MAGIC_PREFIX):
        return None
    return MAGIC.get(msisdn[-2:])


def payout_magic_script(msisdn: str) -> FaultScript | None:
    """What happens when a magic number is paid out to, if that is special."""
    if len(msisdn) != 12 or not msisdn.startswith(MAGIC_PREFIX):
        return None
    return PAYOUT_MAGIC.get(msisdn[-2:])
