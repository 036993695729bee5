"""DATABASE_URL and REDIS_URL become settings that suit payments."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3.base import DatabaseWrapper

from sandbox_project.databases import CACHE_TABLE, cache_settings, database_settings


def test_sqlite_waits_for_its_turn_and_survives_a_power_cut(tmp_path: Path) -> None:
    config = database_settings("sqlite:///shop.sqlite3", folder=tmp_path)

    assert config["NAME"] == str(tmp_path / "shop.sqlite3")
    assert config["CONN_MAX_AGE"] is None
    assert (config["OPTIONS"]["transaction_mode"], config["OPTIONS"]["timeout"]) == ("IMMEDIATE", 20)


def test_sqlite_runs_in_wal_mode(tmp_path: Path) -> None:
    config = database_settings("sqlite:///shop.sqlite3", folder=tmp_path)
    defaults = {"TIME_ZONE": None, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True, "ATOMIC_REQUESTS": False}

    wrapper = DatabaseWrapper(config | defaults | {"USER": "", "PASSWORD": "", "HOST": "", "PORT": ""})
    with closing(wrapper.get_new_connection(wrapper.get_connection_params())) as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert found == ["wal", 2]


def test_an_absolute_path_stays_where_it_is(tmp_path: Path) -> None:
    assert database_settings("sqlite:////srv/majuu.db", folder=tmp_path)["NAME"] == "/srv/majuu.db"


def test_postgresql_keeps_prepared_statements_and_its_own_options(tmp_path: Path) -> None:
    config = database_settings("postgres://majuu:a%40b@db.example:5433/pay?sslmode=require", folder=tmp_path)

    assert (config["USER"], config["PASSWORD"], config["HOST"], config["PORT"]) == ("majuu", "a@b", "db.example", 5433)
    assert config["OPTIONS"] == {"server_side_binding": True, "prepare_threshold": 1, "sslmode": "require"}
    assert config["CONN_MAX_AGE"] is None


def test_behind_a_pooler_nothing_is_prepared(tmp_path: Path) -> None:
    config = database_settings("postgres://db.example/pay", folder=tmp_path, behind_pooler=True)

    assert config["OPTIONS"] == {"prepare_threshold": None}
    assert config["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_mariadb_is_strict(tmp_path: Path) -> None:
    pytest.importorskip("pymysql", reason="the driver for MariaDB is not installed")

    config = database_settings("mysql://majuu:secret@127.0.0.1/pay", folder=tmp_path)

    assert config["OPTIONS"] == {"charset": "utf8mb4", "init_command": "SET sql_mode='STRICT_TRANS_TABLES'"}


def test_another_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="must start with sqlite://, postgres:// or mysql://"):
        database_settings("oracle://user@db/pay", folder=tmp_path)


def test_the_cache_is_shared_with_and_without_redis() -> None:
    assert cache_settings("redis://127.0.0.1:6379/1")["LOCATION"] == "redis://127.0.0.1:6379/1"
    assert cache_settings("")["LOCATION"] == CACHE_TABLE
