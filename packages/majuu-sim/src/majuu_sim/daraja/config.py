"""What a simulated Daraja can be told beforehand. The defaults are the public sandbox's, where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

SANDBOX_SHORTCODE = "174379"
# Published by Safaricom for everybody's tests; it opens nothing.
SANDBOX_PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
SANDBOX_MSISDN = "254708374149"

PENDING_STYLES = ("4999", "4999_short", "500", "mixed")
EVENT_SHAPES = ("plain", "decimal", "balance_without_value", "text", "masked_phone", "no_metadata", "mixed")
# Of C2B validations and confirmations. "auto": by the version the URLs were registered with, and "till" for tills.
C2B_SHAPES = ("auto", "v1", "v2", "till", "buy_goods", "plain_number", "first_name_only", "untyped", "mixed")
# Of results of B2C, B2B, reversal, status and balance requests.
RESULT_SHAPES = (
    "plain",
    "text",
    "numbers",
    "list",
    "single_parameter",
    "no_parameters",
    "null_parameters",
    "spaced_keys",
    "duplicate_keys",
    "account_missing",
    "thin_notice",
    "mixed",
)
PULL_TIMES = ("utc", "eat")
UNREGISTERED = ("not_registered", "not_on_mpesa")


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """One Daraja app: the pair that buys access tokens."""

    consumer_key: str = "majuu-sim-key"
    consumer_secret: str = "majuu-sim-secret"  # noqa: S105 - a simulator's


@dataclass(frozen=True, kw_only=True, slots=True)
class Initiator:
    """An API operator of the organisation: what ``InitiatorName`` and ``SecurityCredential`` must hold."""

    name: str = "testapi"
    password: str = "MajuuSim#2026"  # noqa: S105 - a simulator's


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortcode:
    """A business number: a paybill, or a till's store (head office) number with its tills."""

    number: str
    passkey: str = SANDBOX_PASSKEY
    tills: tuple[str, ...] = ()
    name: str = ""  # as customers see it
    utility: int = 1_000_000  # shillings at the start; a till's merchant account
    working: int = 1_000_000
    validation: bool = False  # external validation is switched on
    v3_payouts: bool = True  # False: B2C v3 is refused with 403, and v1 works

    @property
    def public_name(self) -> str:
        """As Daraja shows a party: ``174379 - Simulated shop 174379``."""
        return f"{self.number} - {self.name or f'Simulated shop {self.number}'}"

    @property
    def is_till(self) -> bool:
        """True when customers pay by CustomerBuyGoodsOnline."""
        return bool(self.tills)

    @property
    def transaction_type(self) -> str:
        """The TransactionType this number may use."""
        return "CustomerBuyGoodsOnline" if self.is_till else "CustomerPayBillOnline"

    @property
    def receivers(self) -> tuple[str, ...]:
        """The PartyB values that exist for it."""
        return self.tills or (self.number,)


DEFAULT_SHORTCODES = (Shortcode(number=SANDBOX_SHORTCODE), Shortcode(number="600100", tills=("600101", "600102")))


@dataclass(frozen=True, kw_only=True, slots=True)
class DarajaConfig:
    """Settings of one simulated Daraja. Seconds are of the simulator's clock, amounts whole shillings."""

    apps: tuple[App, ...] = (App(),)
    shortcodes: tuple[Shortcode, ...] = DEFAULT_SHORTCODES
    answer_delay: float = 2.0  # from the prompt to the customer's PIN
    prompt_seconds: float = 60.0  # a prompt nobody answers ends after this
    token_seconds: float = 3600.0
    strict_tokens: bool = True  # a new token voids the one before
    max_amount: int = 250_000
    same_amount_seconds: float = 120.0  # the same sum paid again sooner ends with result 17; 0 switches it off
    default_balance: int | None = None  # of a customer nobody set up; None: enough for anything
    pending_style: str = "4999"  # how a query says "not yet": one of PENDING_STYLES
    event_shape: str = "plain"  # one of EVENT_SHAPES
    query_visible_after: float = 0.0  # a query sooner than this after the push does not find it
    query_spacing: float = 0.0  # a query of one shortcode sooner than this after another is throttled (sandbox: 12)
    max_account_reference: int = 12
    max_description: int = 13
    max_clock_skew: float | None = None  # refuse a Timestamp further from the simulator's time (EAT) than this
    allow_loopback_callbacks: bool = True  # http, and callbacks to this machine
    callback_hosts: tuple[str, ...] = ()  # further host names allowed over http (a container's name)
    forbidden_words: tuple[str, ...] = ("m-pesa", "mpesa", "safaricom", "exe", "cmd", "sql", "query")
    callback_timeout: float = 10.0  # REAL seconds a receiver may take
    callback_headers: Mapping[str, str] = field(default_factory=dict)  # for example an X-Forwarded-For
    magic_numbers: bool = True  # the numbers 254700000001… behave as documented
    default_names: str = "John Doe"  # of a customer nobody set up
    customer_limit: int = 500_000  # what a purse may hold
    # C2B.
    production: bool = False  # URLs are registered once, and there is no simulate address
    stk_confirmations: bool = True  # a push to a shortcode with registered URLs is confirmed there too
    validation_seconds: float = 8.0  # REAL seconds a validation may take (simulated ones when it is kept for by hand)
    confirmation_retries: int = 0  # so often a confirmation nobody took is sent again
    confirmation_retry_gap: float = 60.0
    confirmation_shape: str = "auto"  # one of C2B_SHAPES
    # B2C, B2B, reversal, status, balance.
    result_delay: float = 2.0  # from the acceptance of a request to its result
    result_shape: str = "plain"  # one of RESULT_SHAPES
    initiators: tuple[Initiator, ...] = (Initiator(),)
    initiator_attempts: int = 3  # wrong passwords until the initiator is locked
    check_credentials: bool = True  # False: any initiator and credential will do
    payout_minimum: int = 10
    payout_charge: Decimal = Decimal(0)  # on the charges paid account, for each B2C payment
    b2b_charge: Decimal = Decimal(0)
    unregistered: str = "not_registered"  # how B2C calls a number without M-Pesa: one of UNREGISTERED
    partial_reversals: bool = True
    outside_shortcodes: tuple[str, ...] = ("600000",)  # of other organisations, which B2B can pay
    max_originator_id: int = 40
    # Pull.
    pull_page_size: int = 100
    pull_hours: float = 48.0
    pull_times: str = "utc"  # what trxDate's Z means: one of PULL_TIMES

    def __post_init__(self) -> None:
        """Refuse impossible settings with ValueError."""
        self._check_choices()
        if not self.apps or not self.shortcodes:
            raise ValueError("a simulated Daraja needs at least one app and one shortcode")
        if len({code.number for code in self.shortcodes}) < len(self.shortcodes):
            raise ValueError("two shortcodes have the same number")
        for code in self.shortcodes:
            if not (code.number.isascii() and code.number.isdecimal() and 5 <= len(code.number) <= 7):
                raise ValueError(f"a shortcode has 5 to 7 digits, not {code.number!r}")

    def _check_choices(self) -> None:
        choices = {
            "pending_style": PENDING_STYLES,
            "event_shape": EVENT_SHAPES,
            "confirmation_shape": C2B_SHAPES,
            "result_shape": RESULT_SHAPES,
            "pull_times": PULL_TIMES,
            "unregistered": UNREGISTERED,
        }
        for name, known in choices.items():
            chosen = getattr(self, name)
            if chosen not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {chosen!r}")

    def find(self, number: str) -> Shortcode | None:
        """The shortcode of this number, if there is one."""
        return next((code for code in self.shortcodes if code.number == number), None)

    def owner_of(self, number: str) -> Shortcode | None:
        """The shortcode a number belongs to: its own, or one of its tills."""
        return self.find(number) or next((code for code in self.shortcodes if number in code.tills), None)
