"""The sandbox project's settings, read in a process of their own as a server would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.support import run_manage, run_python

PRODUCTION = {
    "SECRET_KEY": "0123456789abcdef" * 4,
    "MAJUU_ENCRYPTION_KEYS": "a-key-for-tests-alone-0123456789-abcdefghijk",
    "MAJUU_PUBLIC_URL": "https://pay.example.com",
    "BEHIND_TLS_PROXY": "on",
    "MAJUU_TRUSTED_PROXIES": "127.0.0.1",
    "MAJUU_ALERT_EMAILS": "ops@example.com",
    "MAJUU_AUDIT_SIGNING_KEY": "another-key-for-tests-0123456789-abcdefghij",
    "MAJUU_AUDIT_ANCHOR_EMAILS": "auditor@example.com",
}
# Runs under the sandbox's settings and prints what a browser or a provider would get.
LOOK = """
import json, django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
if not settings.DEBUG:
    call_command("collectstatic", interactive=False, verbosity=0)
seen = {}
for name, path, secure in json.loads(PATHS):
    answer = Client(SERVER_NAME=HOST).get(path, secure=secure)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    seen[name] = [answer.status_code, dict(answer.headers), text.decode("utf-8", "replace")[:20000]]
print(json.dumps(seen))
"""


def look(environment: dict[str, str], host: str, paths: list[list[Any]]) -> dict[str, Any]:
    script = LOOK.replace("PATHS", repr(json.dumps(paths))).replace("HOST", repr(host))
    settings = {"DJANGO_SETTINGS_MODULE": "sandbox_project.settings"}
    done = run_python("-c", script, environment=environment | settings)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_trying_things_out_needs_no_settings_but_debug(tmp_path: Path) -> None:
    environment = {"DEBUG": "on", "SANDBOX_VAR": str(tmp_path), "SANDBOX_SHOP_URL": "http://127.0.0.1:8002"}
    environment |= {"SANDBOX_SIMULATOR_URL": "http://127.0.0.1:8001"}

    seen = look(environment, "127.0.0.1", [["page", "/", False], ["css", "/static/sandbox/landing.css", False]])

    status, headers, text = seen["page"]
    assert status == 200
    for address in ("http://127.0.0.1:8002/", "http://127.0.0.1:8000/console/", "http://127.0.0.1:8001/control/state"):
        assert f'href="{address}"' in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert seen["css"][0] == 200
    key = tmp_path / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) >= 50


@pytest.mark.slow
def test_a_real_site_is_closed_where_it_should_be(tmp_path: Path) -> None:
    paths = [["plain", "/console/", False], ["page", "/", True], ["login", "/accounts/inactive/", True]]
    paths += [["api", "/api/v1/ping", False], ["callback", "/in/p01m7y2gasbe5cabhkbsmyd72ft/x", False]]
    paths += [["api-tls", "/api/v1/ping", True], ["callback-tls", "/in/p01m7y2gasbe5cabhkbsmyd72ft/x", True]]

    seen = look(PRODUCTION | {"SANDBOX_VAR": str(tmp_path)}, "pay.example.com", paths)

    assert (seen["plain"][0], seen["plain"][1]["Location"]) == (301, "https://pay.example.com/console/")
    assert seen["page"][0] == 200
    assert seen["page"][1]["Strict-Transport-Security"] == "max-age=31536000"
    assert "127.0.0.1" not in seen["page"][2]
    assert "8002" not in seen["page"][2]
    assert seen["login"][0] == 200
    # What machines send is answered, never redirected: a redirected callback is a lost one.
    assert (seen["api"][0], seen["callback"][0]) == (403, 403)
    assert (seen["api-tls"][0], seen["callback-tls"][0]) == (401, 404)


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("SECRET_KEY", "Set SECRET_KEY"),
        ("MAJUU_PUBLIC_URL", "Set MAJUU_PUBLIC_URL"),
        ("MAJUU_ENCRYPTION_KEYS", "MAJUU_ENCRYPTION_KEYS is empty"),
    ],
)
def test_a_real_site_says_what_is_missing(tmp_path: Path, missing: str, text: str) -> None:
    environment = {name: value for name, value in PRODUCTION.items() if name != missing}

    done = run_manage("check", environment=environment | {"SANDBOX_VAR": str(tmp_path)})

    assert done.returncode == 1
    assert text in done.stderr


def test_a_real_site_passes_the_deployment_check(tmp_path: Path) -> None:
    environment = PRODUCTION | {"SANDBOX_VAR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:6379/0"}

    done = run_manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)

    assert done.returncode == 0, done.stderr


def test_demo_data_never_reaches_a_real_site(tmp_path: Path) -> None:
    done = run_manage("sandbox_setup", environment=PRODUCTION | {"SANDBOX_VAR": str(tmp_path)})

    assert done.returncode == 1
    assert "DEBUG=on" in done.stderr
    assert not (tmp_path / "majuu.sqlite3").exists()


def test_a_task_is_never_taken_twice_because_it_waited(tmp_path: Path) -> None:
    script = "import json; from sandbox_project.settings import Q_CLUSTER; print(json.dumps(Q_CLUSTER))"
    environment = {"DEBUG": "on", "SANDBOX_VAR": str(tmp_path), "Q_WORKERS": "4"}

    cluster = json.loads(run_python("-c", script, environment=environment).stdout)

    longest = cluster["timeout"] * (cluster["queue_limit"] / cluster["workers"] + 1)
    assert cluster["retry"] > longest
    assert cluster["ack_failures"] is True
    assert cluster["orm"] == "default"


def test_exports_of_other_apps_escape_formulas(tmp_path: Path) -> None:
    script = "from sandbox_project import settings; print(settings.IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT)"

    done = run_python("-c", script, environment={"DEBUG": "on", "SANDBOX_VAR": str(tmp_path)})

    assert done.stdout.strip() == "True", done.stderr


def providers(tmp_path: Path, **environment: str) -> dict[str, Any]:
    """What a process with this environment knows of providers, and the rate it promises."""
    script = (
        "import json; from sandbox_project import settings as s; "
        "print(json.dumps({'providers': s.MAJUU_PROVIDERS, 'rate': s.SANDBOX_DEMO_RATE}, default=str))"
    )
    done = run_python("-c", script, environment=environment | {"SANDBOX_VAR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_real_site_reaches_the_real_providers_and_promises_no_rate(tmp_path: Path) -> None:
    found = providers(tmp_path, **PRODUCTION, SANDBOX_DEMO_RATE="0.0077")

    assert found == {
        "providers": {
            "mpesa": {"test": {"callback_addresses": "*"}, "live": {}},
            "stripe": {"test": {}},
            "paypal": {"test": {}},
        },
        "rate": None,
    }


def test_simulators_take_the_place_of_providers_in_test_mode_alone(tmp_path: Path) -> None:
    found = providers(
        tmp_path,
        DEBUG="on",
        MAJUU_STRIPE_TEST_URL="http://127.0.0.1:8003",
        MAJUU_PAYPAL_TEST_URL="http://127.0.0.1:8004",
        MAJUU_PAYPAL_TEST_ROOT_CERTIFICATES="/var/root.pem",
        SANDBOX_DEMO_RATE="0.0077",
    )

    assert found["providers"]["stripe"] == {"test": {"base_url": "http://127.0.0.1:8003"}}
    assert found["providers"]["paypal"] == {
        "test": {
            "base_url": "http://127.0.0.1:8004",
            "certificate_origin": "http://127.0.0.1:8004",
            "root_certificates": "/var/root.pem",
        }
    }
    assert found["rate"] == "0.0077"
