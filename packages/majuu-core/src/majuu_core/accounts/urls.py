"""Addresses of registration, sign-in and the second factor: include under ``accounts/``.

Every address is listed here by itself: what allauth or two_factor add some day is not reachable before it is looked
at. tests/core/accounts/sign_in_paths.py says of each whether it signs anybody in.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.socialaccount import views as social
from allauth.urls import build_provider_urlpatterns
from django.urls import URLPattern, URLResolver, include, path, re_path
from two_factor.views import QRGeneratorView

from majuu_core.accounts import enrolment
from majuu_core.accounts.gate import changes_need_proof, own_account_view
from majuu_core.accounts.headers import private
from majuu_core.accounts.login_codes import confirm_login_code
from majuu_core.accounts.own_account import own_account
from majuu_core.accounts.second_factor_views import challenge, confirm

_second_factor: list[URLPattern | URLResolver] = [
    path("", enrolment.overview, name="profile"),
    path("set-up/", enrolment.set_up, name="setup"),
    path("set-up/app/", enrolment.set_up_app, name="setup_app"),
    path("set-up/app/picture/", enrolment.proof_required(QRGeneratorView.as_view()), name="qr"),
    path("set-up/key/", enrolment.set_up_key, name="setup_key"),
    path("backup-codes/", enrolment.backup_codes, name="backup_tokens"),
    path("remove/", enrolment.remove, name="disable"),
]

_getting_in: list[URLPattern | URLResolver] = [
    path("login/", account.login, name="account_login"),
    path("login/code/", account.request_login_code, name="account_request_login_code"),
    path("login/code/confirm/", confirm_login_code, name="account_confirm_login_code"),
    path("otp/", challenge, name="otp_challenge"),
    path("signup/", account.signup, name="account_signup"),
    path("confirm-email/", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", account.confirm_email, name="account_confirm_email"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("logout/", account.logout, name="account_logout"),
    path("3rdparty/login/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("3rdparty/login/error/", social.login_error, name="socialaccount_login_error"),
    path("3rdparty/signup/", social.signup, name="socialaccount_signup"),
]

_own: list[URLPattern | URLResolver] = [
    path("", own_account, name="majuu_account"),
    path("confirm/", confirm, name="majuu_confirm"),
    path("reauthenticate/", own_account_view(account.reauthenticate), name="account_reauthenticate"),
    path("email/", changes_need_proof(account.email), name="account_email"),
    path("password/change/", own_account_view(account.password_change), name="account_change_password"),
    path("password/set/", changes_need_proof(account.password_set), name="account_set_password"),
    path("3rdparty/", changes_need_proof(social.connections), name="socialaccount_connections"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *private(_getting_in),
    *private(_own),
    path("second-factor/", include((private(_second_factor), "two_factor"))),
    *private(build_provider_urlpatterns(), leads_out=True),
]
