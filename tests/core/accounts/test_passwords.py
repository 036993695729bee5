"""Passwords that are known are refused; others are not, whatever they are made of."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError

from majuu_core.accounts.configuration import breached_passwords
from majuu_core.accounts.passwords import is_breached, is_obvious


@pytest.mark.parametrize(
    "password",
    [
        "Password2026!",
        "nairobi254254",
        "N41r0b1!2024",
        "harambeestars2023",
        "GorMahia-1968",
        "Arsenal_Kenya_01",
        "mpesasafaricom",
        "karibu-nairobi-254",
        "!!!wanjiku!!!1990",
        "qwertyuiop123",
    ],
)
def test_known_words_with_decoration_are_obvious(password):
    assert is_obvious(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "four unrelated words here",
        "kX9#vTq2mPz7",
        "123456789012345",
        "pilipili hoho tano saba",
    ],
)
def test_others_are_not(password):
    assert not is_obvious(password)


@pytest.fixture
def breached(tmp_path, settings):
    """A list of 2,000 hashes, as such lists are written."""
    hashes = sorted(
        hashlib.sha1(f"known-{number}".encode(), usedforsecurity=False).hexdigest().upper() for number in range(2000)
    )
    path = tmp_path / "breached.txt"
    path.write_text("".join(f"{line}:{number + 1}\r\n" for number, line in enumerate(hashes)))
    settings.MAJUU_BREACHED_PASSWORDS = str(path)
    return path


def test_every_line_of_the_list_is_found_and_nothing_else(breached):
    assert [number for number in range(2000) if not is_breached(f"known-{number}")] == []
    assert [number for number in range(2000, 2500) if is_breached(f"known-{number}")] == []


@pytest.mark.parametrize("content", ["", "\n", "0" * 40 + "\n", "F" * 40])
def test_small_lists(tmp_path, settings, content):
    path = tmp_path / "small.txt"
    path.write_text(content)
    settings.MAJUU_BREACHED_PASSWORDS = path

    assert not is_breached("whatever this is")


def test_without_a_list_nothing_is_breached():
    assert breached_passwords() is None
    assert not is_breached("known-1")


def test_a_list_that_is_not_there_is_an_error(settings):
    settings.MAJUU_BREACHED_PASSWORDS = "/nowhere/at/all"

    with pytest.raises(ImproperlyConfigured, match="MAJUU_BREACHED_PASSWORDS"):
        breached_passwords()


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("known-7", "password_known"),
        ("elevenchars", "password_too_short"),
        ("nairobi254254", "password_known"),
    ],
)
def test_what_is_refused(breached, password, code):
    with pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert code in {problem.code for problem in refused.value.error_list}


@pytest.mark.django_db
def test_the_form_refuses_a_breached_password(breached, client):
    answer = client.post("/accounts/signup/", {"email": "new@duka.example", "password1": "known-17"})

    assert answer.status_code == 200
    assert "known from a breach" in answer.content.decode()
