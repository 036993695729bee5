"""Database and cache settings, made from addresses such as ``postgres://user:password@host/name``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

CACHE_TABLE = "majuu_cache"
# Money is not given up for speed: FULL is what survives a power cut in WAL mode.
_SQLITE_START = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000"


def database_settings(url: str, *, folder: Path, behind_pooler: bool = False) -> dict[str, Any]:
    """``DATABASES["default"]``. A relative SQLite path is taken from ``folder``.

    ``behind_pooler``: connections go through PgBouncer in transaction mode, which knows no prepared statements.
    Raises ImproperlyConfigured for an address of a database that Majuu does not run on.
    """
    config = Env.db_url_config(url)
    # Connections live as long as their threads: opening one costs more than a whole request.
    config |= {"CONN_MAX_AGE": None, "OPTIONS": config.get("OPTIONS") or {}}
    engine = str(config.get("ENGINE", "")).rpartition(".")[2]
    if engine == "sqlite3":
        return _sqlite(config, folder)
    if engine == "postgresql":
        return _postgresql(config, behind_pooler)
    if engine == "mysql":
        return _mariadb(config)
    raise ImproperlyConfigured("DATABASE_URL must start with sqlite://, postgres:// or mysql://")


def _sqlite(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    if config["NAME"] != ":memory:":
        config["NAME"] = str(folder / config["NAME"])
    # IMMEDIATE: a transaction waits for its turn at the start instead of failing when it first writes.
    config["OPTIONS"] |= {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": _SQLITE_START}
    return config


def _postgresql(config: dict[str, Any], behind_pooler: bool) -> dict[str, Any]:
    # Parameters bound by the server and statements prepared at once: the two switches that pay most.
    preparing = {"prepare_threshold": None} if behind_pooler else {"server_side_binding": True, "prepare_threshold": 1}
    config["OPTIONS"] = preparing | config["OPTIONS"]
    config["DISABLE_SERVER_SIDE_CURSORS"] = behind_pooler
    return config


def _mariadb(config: dict[str, Any]) -> dict[str, Any]:
    import pymysql

    # Django looks for mysqlclient of at least this version; PyMySQL offers the same and needs no compiler.
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
    strict = "SET sql_mode='STRICT_TRANS_TABLES'"
    config["OPTIONS"] = {"charset": "utf8mb4", "init_command": strict} | config["OPTIONS"]
    return config


def cache_settings(redis_url: str) -> dict[str, Any]:
    """``CACHES["default"]``: Redis when there is one, else a table of the database.

    It has to be shared by all processes, because M-Pesa knows one access token per app: a second one voids the first.
    """
    if redis_url:
        return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}
    # Above MAX_ENTRIES Django throws away entries that are still good, so the limit is far away.
    return {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": CACHE_TABLE,
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
