"""How often a password may be wrong: by address, by account and address, by account; and a code. Only failures count.

An account that is guessed at from everywhere is closed to strangers for a while, but not to browsers that signed in to
it before, and a code or a link by e-mail still opens it: nobody is locked out by somebody else.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from majuu_core.accounts.known_browsers import is_known
from majuu_core.accounts.trail import note
from majuu_core.throttling.services import Decision, allow, caller_key, is_exhausted

ADDRESS = "sign_in_address"
ACCOUNT_HERE = ("sign_in_account", "sign_in_account_day")
ACCOUNT = "sign_in_account_anywhere"
CODE = "second_factor"


def may_try(request: HttpRequest, login: str) -> bool:
    """Whether one more password may be tried for this name from where the request comes."""
    here, name = caller_key(request), _name(login)
    if is_exhausted(ADDRESS, here) or any(is_exhausted(policy, f"{name}|{here}") for policy in ACCOUNT_HERE):
        return False
    return is_known(request, login) or not is_exhausted(ACCOUNT, name)


def count_failure(request: HttpRequest, login: str) -> None:
    """A password was wrong, or there is no such account: both count the same."""
    here, name = caller_key(request), _name(login)
    allow(ADDRESS, here)
    for policy in ACCOUNT_HERE:
        allow(policy, f"{name}|{here}")
    allow(ACCOUNT, name)


def may_try_code(request: HttpRequest, user: Any) -> bool:
    """Whether one more code of a second factor may be tried for this account from where the request comes."""
    return not is_exhausted(CODE, _code_tries(request, user))


def count_wrong_code(request: HttpRequest, user: Any) -> Decision:
    """A code was wrong: counted and written down. That a device waits afterwards holds for all addresses together."""
    note(request, user, "user.second_factor_failed")
    return allow(CODE, _code_tries(request, user))


def _code_tries(request: HttpRequest, user: Any) -> str:
    return f"{user.pk}|{caller_key(request)}"


def _name(login: str) -> str:
    return login.strip().casefold()
