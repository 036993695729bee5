"""The forms of the second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django_otp.models import Device
from django_otp.oath import TOTP

from majuu_core.accounts.second_factor import verify_code
from majuu_core.accounts.security_keys import verify_answer
from majuu_core.common import clock

WRONG = "That code is not right, or it was used before. Wait a moment and try a new one."
WRONG_KEY = "The security key was not recognised. Try again, or use a code."
TOO_MANY = "Too many wrong codes. Wait ten minutes, or use a security key."
APP_STEP, APP_DIGITS = 30, 6
_ONE_TIME = {"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "autocapitalize": "off"}


class SecondFactorForm(forms.Form):
    """A code of an app, a backup code, or the answer of a security key. Valid when it was accepted, by ``device``.

    ``no_codes``: none is looked at any more.
    """

    code = forms.CharField(label="Code", max_length=40, widget=forms.TextInput(attrs=_ONE_TIME))
    security_key = forms.CharField(max_length=20_000, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: HttpRequest, user: Any, no_codes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user, self.no_codes = request, user, no_codes
        self.device: Device | None = None
        self.fields["code"].required = not self.data.get("security_key")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        if answer := data.get("security_key"):
            self.device = verify_answer(self.request, self.user, answer)
            text = WRONG_KEY
        elif self.no_codes:
            text = TOO_MANY
        else:
            self.device = verify_code(self.user, data.get("code") or "")
            text = WRONG
        if self.device is None:
            raise ValidationError(text, code="wrong_code")
        return data


class AppForm(forms.Form):
    """The first code of a new authenticator app, which shows that it has the key. ``last_step`` is the code's."""

    name = forms.CharField(label="Name of this device", max_length=40, required=False)
    code = forms.CharField(
        label="Code that the app shows",
        max_length=10,
        widget=forms.TextInput(attrs={**_ONE_TIME, "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, key: bytes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        self.last_step = -1

    def clean_code(self) -> str:
        totp = TOTP(self.key, APP_STEP, 0, APP_DIGITS)
        totp.time = clock.SystemClock().now().timestamp()  # an app shows codes of the real time
        code = "".join(self.cleaned_data["code"].split())
        if not code.isdecimal() or not totp.verify(int(code), tolerance=1):
            raise ValidationError("That is not the code the app shows now. Is the time of your phone right?", "wrong")
        self.last_step = totp.t()
        return code


class SecurityKeyForm(forms.Form):
    """The answer of a new security key."""

    name = forms.CharField(label="Name of this key", max_length=40, required=False)
    security_key = forms.CharField(max_length=20_000, widget=forms.HiddenInput)
