"""Every package is whole: metadata, licence, types, entry points, migrations, and a wheel with all its files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.architecture.workspace import PACKAGES, ROOT, imported_names, modules, parsed, source_folder

PYTHONS = ("3.11", "3.12", "3.13")
every_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)


def project(package: Path) -> dict[str, Any]:
    with (package / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def is_django(package: Path) -> bool:
    return any(requirement.startswith("django>=") for requirement in project(package)["dependencies"])


def test_the_packages_are_those_of_the_workspace() -> None:
    assert [package.name for package in PACKAGES] == [
        "majuu-core",
        "majuu-mpesa",
        "majuu-paypal",
        "majuu-sim",
        "majuu-stripe",
    ]


def test_the_packages_are_released_together() -> None:
    assert len({project(package)["version"] for package in PACKAGES}) == 1


@every_package
def test_the_version_is_the_same_inside(package: Path) -> None:
    text = (source_folder(package) / "__init__.py").read_text(encoding="utf-8")
    assert re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE) == [project(package)["version"]]


@every_package
def test_siblings_are_asked_for_in_the_same_release(package: Path) -> None:
    table = project(package)
    asked = [
        *table["dependencies"],
        *(item for extra in table.get("optional-dependencies", {}).values() for item in extra),
    ]
    siblings = [item for item in asked if item.startswith("majuu-")]
    assert [item for item in siblings if not item.endswith(f"~={table['version']}")] == []


@every_package
def test_the_licence_is_bsd_and_lies_beside_the_code(package: Path) -> None:
    table = project(package)
    assert table["license"] == "BSD-3-Clause"
    assert table["license-files"] == ["LICENSE"]
    assert (package / "LICENSE").read_text(encoding="utf-8") == (ROOT / "LICENSE").read_text(encoding="utf-8")


@every_package
def test_the_classifiers_name_what_is_tested(package: Path) -> None:
    table = project(package)
    classifiers = table["classifiers"]
    assert table["requires-python"] == f">={PYTHONS[0]}"
    assert [item.rpartition(" ")[2] for item in classifiers if re.search(r"Python :: 3\.\d+$", item)] == list(PYTHONS)
    assert "Typing :: Typed" in classifiers
    assert ("Framework :: Django :: 5.2" in classifiers) == is_django(package)


@every_package
def test_the_package_is_typed_and_says_what_it_is(package: Path) -> None:
    assert (source_folder(package) / "py.typed").exists()
    readme = (package / project(package)["readme"]).read_text(encoding="utf-8")
    assert readme.startswith(f"# {package.name}\n")
    assert len(readme.split()) >= 40


@every_package
def test_plugin_packages_are_found_by_their_entry_point(package: Path) -> None:
    name = package.name.replace("-", "_")
    announced = [point.value for point in entry_points(group="majuu.plugins") if point.value == name]
    has_hooks = (source_folder(package) / "majuu_hooks.py").exists() and name != "majuu_core"
    assert announced == ([name] if has_hooks else [])


@every_package
def test_the_wheel_holds_every_file_of_the_package(package: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=package,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    source = package / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert expected - names == set()
    assert [name for name in names if name.endswith("licenses/LICENSE")] != []


@pytest.mark.django_db
def test_the_migrations_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    # It raises SystemExit when a model differs from its migrations.
    call_command("makemigrations", check_changes=True, dry_run=True)
    assert "No changes detected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("core", {"majuu_core", "tests"}),
        ("mpesa", {"majuu_core", "majuu_mpesa", "majuu_sim", "tests"}),
        ("stripe", {"majuu_core", "majuu_stripe", "majuu_sim", "tests"}),
        ("paypal", {"majuu_core", "majuu_paypal", "majuu_sim", "tests"}),
        ("sim", {"majuu_sim", "tests"}),
        ("stripe", {"majuu_core", "majuu_sim", "majuu_stripe", "tests"}),
    ],
)
def test_the_tests_of_a_package_need_only_what_it_declares(folder: str, allowed: set[str]) -> None:
    ours = {
        "majuu_core",
        "majuu_mpesa",
        "majuu_stripe",
        "majuu_paypal",
        "majuu_sim",
        "tests",
        "sandbox_project",
        "benchmarks",
        "scripts",
    }
    strangers = []
    for path in modules(ROOT / "tests" / folder):
        for _, name in imported_names(parsed(path)):
            first = name.split(".")[0]
            other_tests = name.startswith(
                tuple(f"tests.{other}." for other in ("core", "mpesa", "stripe", "paypal", "sim") if other != folder)
            )
            if (first in ours and first not in allowed) or other_tests:
                strangers.append(f"{path.relative_to(ROOT)}: {name}")
    assert strangers == []


def test_migrations_wait_for_the_projects_own_users() -> None:
    """given a migration that points at the users' table / then it runs after whichever app has it in this project."""
    texts = {path: path.read_text() for path in ROOT.glob("packages/*/src/*/**/migrations/0*.py")}
    pointing = {path for path, text in texts.items() if "to=settings.AUTH_USER_MODEL" in text}
    assert pointing
    assert [path for path in pointing if "swappable_dependency(settings.AUTH_USER_MODEL)" not in texts[path]] == []
