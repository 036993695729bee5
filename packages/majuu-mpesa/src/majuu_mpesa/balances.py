"""What stands on a shortcode's accounts: the question, and the one text in which the answer comes.

The text holds accounts joined by ``&``, each with name, currency, current, available, reserved and uncleared, joined by
``|``. The order is proved by Safaricom's own sample, where current is available and reserved added up; who reads the
third field as what can be spent is wrong as soon as something is reserved.
"""

from __future__ import annotations

from majuu_core.common import clock
from majuu_core.providers import (
    AccountBalance,
    BalanceAnswer,
    BalanceQuery,
    Failure,
    FailureCode,
    ProviderEvent,
    Result,
    ResultStatus,
)
from majuu_mpesa.account import Account
from majuu_mpesa.acknowledgements import acknowledged
from majuu_mpesa.codes import SUCCESS
from majuu_mpesa.fields import CURRENCY, read_balance, read_moment
from majuu_mpesa.result_codes import definite_failure
from majuu_mpesa.result_message import ResultMessage
from majuu_mpesa.text import plain_text

PATH = "/mpesa/accountbalance/v1/query"
TOPIC = "balance"
_MOST_ACCOUNTS = 50


def request(account: Account, query: BalanceQuery) -> BalanceAnswer:
    """Ask; the balances come to ``query.webhook_url`` under the reference in the answer."""
    account.check_url(query.webhook_url)
    body = {
        **account.initiator(),
        "CommandID": "AccountBalance",
        "PartyA": account.credentials.payout_shortcode,
        "IdentifierType": "4",
        "Remarks": "Balance",
        # The address is the account's own, and its last part says already that balances go there.
        "ResultURL": query.webhook_url,
        "QueueTimeOutURL": query.webhook_url,
    }
    taken = acknowledged(account.post(PATH, body, "account_balance"))
    return BalanceAnswer(balances=None, provider_reference=taken.conversation_id)


def read_event(message: ResultMessage, *, event_id: str) -> ProviderEvent:
    """The event of an answer; without accounts it has failed, or is only a notice that it takes long."""
    reference = message.conversation_id or message.originator_id or ""
    accounts = read_accounts(message.text_whole("AccountBalance"))
    at = read_moment(message.first("BOCompletedTime"))
    result = _result(message, reference, told=bool(accounts))
    return ProviderEvent(
        event_id=event_id,
        type="balance.reported",
        reference=None,
        provider_reference=reference,
        result=result,
        occurred_at=at or clock.now(),
        balances=accounts if result.status is ResultStatus.SUCCEEDED else (),
    )


def read_accounts(text: str) -> tuple[AccountBalance, ...]:
    """The accounts in the text. One that cannot be read, or is not in shillings, is left out: it is not nought."""
    found = (_read_account(part) for part in text.split("&")[:_MOST_ACCOUNTS])
    return tuple(account for account in found if account is not None)


def _read_account(text: str) -> AccountBalance | None:
    name, currency, *numbers = [*text.split("|"), ""][:6]
    current, available, reserved, uncleared = (read_balance(number) for number in [*numbers, "", "", "", ""][:4])
    shown = plain_text(name, limit=100)
    if current is None or currency.strip() != CURRENCY or not shown:
        return None
    return AccountBalance(name=shown, current=current, available=available, reserved=reserved, uncleared=uncleared)


def _result(message: ResultMessage, reference: str, *, told: bool) -> Result:
    if message.is_interim or message.code is None:
        return Result(status=ResultStatus.PENDING, provider_reference=reference, raw=message.raw)
    if message.code == SUCCESS and told:
        return Result(status=ResultStatus.SUCCEEDED, provider_reference=reference, raw=message.raw)
    failure = definite_failure(message.code, description=message.description) or Failure(
        code=FailureCode.PROCESSING_ERROR,
        provider_code=message.code,
        message=message.description or "M-Pesa named no account.",
    )
    return Result(status=ResultStatus.FAILED, provider_reference=reference, failure=failure, raw=message.raw)
