"""A database of its own for worker processes: a file on SQLite, a new database on PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from django.db import connection

_ROOT = Path(__file__).parents[3]


class Stage:
    """Where worker processes play: starts them, prepares and inspects their database."""

    def __init__(self, database_url: str, directory: Path) -> None:
        self.database_url = database_url
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "tests.core.worker.worker_settings",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        }
        self._directory = directory
        self._started: list[subprocess.Popen[bytes]] = []
        self._files: list[IO[bytes]] = []

    def run(self, command: str, *arguments: str) -> Any:
        """Run a command of ``stage.py`` and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.core.worker.stage", command, *arguments],
            env=self._environment,
            cwd=_ROOT,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def start_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``majuu_worker`` as a process of its own. Its output is in ``output``."""
        log = (self._directory / f"worker-{len(self._started)}.log").open("wb")
        self._files.append(log)
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "majuu_worker", *arguments],
            env=self._environment,
            cwd=_ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._started.append(process)
        return process

    def output(self, number: int) -> str:
        return (self._directory / f"worker-{number}.log").read_text()

    def close(self) -> None:
        """Kill what is left of the workers this stage started."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
        for log in self._files:
            log.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with all tables and no rows, made once: each stage plays in a copy."""
    if connection.vendor not in ("sqlite", "postgresql"):
        pytest.skip("the worker's processes are tested on SQLite and PostgreSQL")
    folder = tmp_path_factory.mktemp("migrated")
    on_sqlite = connection.vendor == "sqlite"
    url = f"sqlite:///{folder / 'worker.sqlite3'}" if on_sqlite else _create_database()
    try:
        Stage(url, folder).run("migrate")
        yield url
    finally:
        if not on_sqlite:
            _drop_database(_name_in(url))


@pytest.fixture
def stage(tmp_path: Path, migrated: str, django_db_blocker: Any) -> Iterator[Stage]:
    if connection.vendor == "sqlite":
        shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path)
        made = Stage(f"sqlite:///{tmp_path / 'worker.sqlite3'}", tmp_path)
    else:
        made = Stage(_create_database(template=_name_in(migrated)), tmp_path)
    try:
        yield made
    finally:
        made.close()
        if connection.vendor == "postgresql":
            _drop_database(_name_in(made.database_url))


def _name_in(url: str) -> str:
    return url.rsplit("/", 1)[1]


def _administer(statement: str) -> None:
    import psycopg
    from psycopg.conninfo import make_conninfo

    settings = connection.settings_dict
    given = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
    given["password"] = settings["PASSWORD"]
    where = make_conninfo(dbname="postgres", **{name: value for name, value in given.items() if value})
    with psycopg.connect(where, autocommit=True) as admin:
        admin.execute(statement.encode())


def _create_database(*, template: str = "template1") -> str:
    name = f"majuu_worker_{uuid.uuid4().hex[:12]}"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{name}"


def _drop_database(name: str) -> None:
    _administer(f'DROP DATABASE "{name}" WITH (FORCE)')
