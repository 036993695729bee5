"""``majuu-sim replay``: one seed, one transcript; and it shows the misfortune that it promises."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import pytest

from majuu_sim.cli import main
from majuu_sim.daraja.replay import Replay


def transcript(seed: int, steps: int = 60) -> list[str]:
    return list(Replay(seed=seed, steps=steps).lines())


@pytest.mark.parametrize("seed", [0, 7, 20260115])
def test_the_same_seed_gives_the_same_transcript(seed: int) -> None:
    """given a seed / when it is played twice / then both transcripts are the same to the letter."""
    first = transcript(seed)
    assert transcript(seed) == first
    assert first[0] == f"majuu-sim replay --seed {seed} --steps 60"
    digest = hashlib.sha256("".join(f"{line}\n" for line in first[:-1]).encode()).hexdigest()
    assert first[-1] == f"sha256 {digest}"


def test_another_process_with_another_hash_seed_plays_the_same() -> None:
    """given a seed / when other processes play it / then the transcript does not depend on the process."""

    def play(hash_seed: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "majuu_sim.cli", "replay", "--seed", "11", "--steps", "30"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo" if hash_seed == "1" else "UTC"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert play("1") == play("2") == "".join(f"{line}\n" for line in transcript(11, 30))


def test_other_seeds_are_other_runs() -> None:
    """given ten seeds / when played / then no two transcripts are alike."""
    assert len({transcript(seed, 10)[-1] for seed in range(10)}) == 10


def test_a_run_holds_what_an_application_has_to_live_with() -> None:
    """given a few long runs / when read / then every kind of step, answer and letter is somewhere in them."""
    text = "\n".join("\n".join(transcript(seed, 150)) for seed in range(4))
    for what in ("push KES", "query ws_CO_", "pays KES", "pay out KES", "reverse ", "ask for balances", "fault queued"):
        assert what in text
    for letter in ("<- push", "<- confirmation", "<- result"):
        assert letter in text
    for code in ("200", "500", "429", "no answer"):
        assert re.search(rf"-> {code}", text)
    assert re.search(r"moved \w{10} (stk|c2b|b2c|reversal) KES \d+", text)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """given the command / when run / then it prints the transcript and ends with 0; nonsense ends with 2."""
    assert main(["replay", "--seed", "3", "--steps", "5"]) == 0
    assert capsys.readouterr().out.splitlines() == transcript(3, 5)
    assert main(["replay", "--seed", "3", "--steps", "-1"]) == 2
    assert "--steps is zero or more" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["replay"])
