"""The floor: the same jobs as plain SQL, statement by statement, driven by pgbench."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import HERE, CannotMeasure, Postgres, find_pgbench

CLIENTS = 8
_SCRIPTS = HERE / "pgbench"
_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: ([0-9]+)/", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class FloorRun:
    """One round of pgbench: transactions a second, and milliseconds of each."""

    per_second: float
    milliseconds: list[float]


@dataclass(kw_only=True)
class Floor:
    """A database with the floor's tables. Every payment in it is completed at most once."""

    postgres: Postgres
    waiting: int  # payments that were loaded
    _completed: int = field(default=0, init=False)

    def run(self, script: str, transactions: int, clients: int = CLIENTS) -> FloorRun:
        """So many transactions of ``accept`` or ``complete``, spread over the clients."""
        each = transactions // clients
        variables = {"number": self._completed - clients + 1, "clients": clients}
        if script == "complete":
            self._completed += each * clients
            if self._completed > self.waiting:
                raise CannotMeasure(f"only {self.waiting} payments were loaded")
        with tempfile.TemporaryDirectory(prefix="majuu-pgbench-") as folder:
            command = [find_pgbench(), "--no-vacuum", "--protocol", "prepared", "--log"]
            command += ["--client", str(clients), "--jobs", "1", "--transactions", str(each)]
            command += ["--log-prefix", f"{folder}/log", "--file", str(_SCRIPTS / f"{script}.sql")]
            for name, value in variables.items():
                command += ["--define", f"{name}={value}"]
            text = _call(command, self.postgres)
            logs = [path.read_text() for path in Path(folder).iterdir()]
        rate, done = _RATE.search(text), _DONE.search(text)
        if rate is None or done is None or int(done[1]) != each * clients:
            raise CannotMeasure(f"pgbench did not finish its work:\n{text}")
        milliseconds = [int(line.split()[2]) / 1000 for log in logs for line in log.splitlines()]
        return FloorRun(per_second=float(rate[1]), milliseconds=milliseconds)


@contextmanager
def open_floor(postgres: Postgres, *, waiting: int) -> Iterator[Floor]:
    """A floor with so many payments that wait to be completed."""
    with postgres.database("floor"):
        psql = str(Path(find_pgbench()).with_name("psql"))
        for script in ("schema", "load"):
            command = [psql, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--set", f"count={waiting}"]
            _call([*command, "--file", str(_SCRIPTS / f"{script}.sql")], postgres)
        yield Floor(postgres=postgres, waiting=waiting)


def _call(command: list[str], postgres: Postgres) -> str:
    done = subprocess.run(
        command, env=postgres.environment("floor"), capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        raise CannotMeasure(f"{Path(command[0]).name} failed:\n{done.stderr[-2000:]}")
    return done.stdout
