"""CPU of accept and complete beside that of a constant Django view, all in one process, without a server around them.

``python -m benchmarks.in_process`` prints the two ratios and the microseconds of all three as JSON.
"""

from __future__ import annotations

import gc
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any
from uuid import uuid4

from benchmarks import stock
from benchmarks.load import UNIQUE
from benchmarks.measures import Measure, Target
from benchmarks.servers import Postgres, migrate, run_module

SAMPLES = 1_000
WARM_UP = 50
_PLAIN = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]

Application = Callable[..., Any]


def cpu_ratios(postgres: Postgres) -> Iterator[Measure]:
    """The ratios as measures."""
    with postgres.database("cpu") as url:
        migrate(url)
        found = json.loads(run_module("benchmarks.in_process", url, []))
    constant = f"{found['constant']:.0f}"
    targets = {"accept": Target(must=12, goal=8, upwards=False), "complete": Target(must=16, goal=11, upwards=False)}
    for job, target in targets.items():
        yield Measure(
            name=f"{job}: CPU over a constant view's",
            value=found[job] / found["constant"],
            target=target,
            note=f"{found[job]:.0f} µs against {constant} µs of the thread",
        )


def main() -> None:
    """Measure, in turn, so that a slower moment of the machine is one for all three."""
    import django

    django.setup()

    from django.core.wsgi import get_wsgi_application
    from django.test.utils import override_settings

    application = get_wsgi_application()
    with override_settings(MIDDLEWARE=_PLAIN):
        plain = get_wsgi_application()
    made = stock.prepare(stores=1)
    accepting = _environ(stock.accept_request(made))
    count = SAMPLES + WARM_UP
    callbacks = iter([_environ(raw) for raw in stock.add_waiting(stock=made, numbers=range(1, count + 1))])
    works: dict[str, Callable[[], float]] = {
        "constant": lambda: _time(plain, _environ(b"GET /constant HTTP/1.1\r\n\r\n"), "200"),
        "accept": lambda: _time(application, _fresh(accepting), "201"),
        "complete": lambda: _time(application, next(callbacks), "200"),
    }
    samples: dict[str, list[float]] = {name: [] for name in works}
    gc.collect()
    for _ in range(count):
        for name, work in works.items():
            samples[name].append(work())
    print(json.dumps({name: median(found[WARM_UP:]) for name, found in samples.items()}))


def _time(application: Application, environ: dict[str, Any], wanted: str) -> float:
    """CPU microseconds of this thread for one request."""
    statuses: list[str] = []
    started = time.thread_time_ns()
    response = application(environ, lambda status, headers, problem=None: statuses.append(status))
    body = b"".join(response)
    response.close()
    used = time.thread_time_ns() - started
    if not statuses[0].startswith(wanted):
        raise RuntimeError(f"{statuses[0]}: {body[:500]!r}")
    return used / 1000


def _environ(raw: bytes) -> dict[str, Any]:
    """A request as a WSGI server passes it on."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "body": body,
    }
    for line in lines:
        name, _, value = line.partition(": ")
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def _fresh(environ: dict[str, Any]) -> dict[str, Any]:
    """The same request once more, under another Idempotency-Key."""
    key = environ["HTTP_IDEMPOTENCY_KEY"].replace(UNIQUE.decode(), uuid4().hex)
    return environ | {"wsgi.input": io.BytesIO(environ["body"]), "HTTP_IDEMPOTENCY_KEY": key}


if __name__ == "__main__":
    main()
