"""What a simulated Daraja can be told beforehand. The defaults are the public sandbox's, where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SANDBOX_SHORTCODE = "174379"
# Published by Safaricom for everybody's tests; it opens nothing.
SANDBOX_PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
SANDBOX_MSISDN = "254708374149"

PENDING_STYLES = ("4999", "4999_short", "500", "mixed")
EVENT_SHAPES = ("plain", "decimal", "balance_without_value", "text", "masked_phone", "no_metadata", "mixed")


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """One Daraja app: the pair that buys access tokens."""

    consumer_key: str = "majuu-sim-key"
    consumer_secret: str = "majuu-sim-secret"  # noqa: S105 - a simulator's


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortcode:
    """A business number: a paybill, or a till's store (head office) number with its tills."""

    number: str
    passkey: str = SANDBOX_PASSKEY
    tills: tuple[str, ...] = ()

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

    def __post_init__(self) -> None:
        """Refuse impossible settings with ValueError."""
        if self.pending_style not in PENDING_STYLES:
            raise ValueError(f"pending_style is one of {', '.join(PENDING_STYLES)}, not {self.pending_style!r}")
        if self.event_shape not in EVENT_SHAPES:
            raise ValueError(f"event_shape is one of {', '.join(EVENT_SHAPES)}, not {self.event_shape!r}")
        if not self.apps or not self.shortcodes:
            raise ValueError("a simulated Daraja needs at least one app and one shortcode")
        if len({code.number for code in self.shortcodes}) < len(self.shortcodes):
            raise ValueError("two shortcodes have the same number")
        for code in self.shortcodes:
            if not (code.number.isascii() and code.number.isdecimal() and 5 <= len(code.number) <= 7):
                raise ValueError(f"a shortcode has 5 to 7 digits, not {code.number!r}")

    def find(self, number: str) -> Shortcode | None:
        """The shortcode of this number, if there is one."""
        return next((code for code in self.shortcodes if code.number == number), None)
