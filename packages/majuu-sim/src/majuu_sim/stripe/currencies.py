"""Stripe's rules about currencies: an amount's decimals, what it must be divisible by, how small it may be."""

from __future__ import annotations

from majuu_sim.stripe.errors import invalid

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
# Two decimals on paper, but only whole units exist.
WHOLE_ONLY = frozenset(["isk", "ugx"])
OTHERS = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc"
    " cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd"
    " kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php"
    " pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs"
    " wst xcd yer zar zmw".split()
)
KNOWN = ZERO_DECIMAL | THREE_DECIMAL | WHOLE_ONLY | OTHERS

# In the currency's smallest unit; where Stripe names none, the equivalent of half a dollar is not checked.
MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
MAXIMUM = 99_999_999


def check_currency(code: str, param: str = "currency") -> str:
    """``code`` in lower case; a refusal for a currency Stripe does not know."""
    known = code.lower()
    if known not in KNOWN:
        raise invalid(param, f"Invalid currency: {known}. Stripe currently supports these currencies: usd, aed, afn, …")
    return known


def check_amount(amount: int, currency: str, param: str = "amount", *, smallest: bool = True) -> int:
    """``amount`` once it is sure to be chargeable in ``currency``; a refusal otherwise.

    ``smallest=False`` leaves out the minimum, as for captures and refunds.
    """
    if amount < 1:
        raise invalid(param, "This value must be greater than or equal to 1.", "parameter_invalid_integer")
    if amount > MAXIMUM:
        raise invalid(param, f"Amount must be no more than {MAXIMUM} in the smallest unit.", "amount_too_large")
    if smallest and amount < MINIMUM.get(currency, 1):
        least = MINIMUM[currency]
        raise invalid(param, f"Amount must be at least {least} in the smallest unit of {currency}", "amount_too_small")
    if currency in THREE_DECIMAL and amount % 10:
        raise invalid(param, f"Amounts in {currency} must end in 0, because its last decimal cannot be charged.")
    if currency in WHOLE_ONLY and amount % 100:
        raise invalid(param, f"Amounts in {currency} must be divisible by 100, because it has no decimals.")
    return amount


def decimals(currency: str) -> int:
    """How many digits of an amount stand behind the point."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def shown(amount: int, currency: str) -> str:
    """For people: ``KES 100.00``."""
    places = decimals(currency)
    whole, part = divmod(amount, 10**places)
    return f"{currency.upper()} {whole:,}.{part:0{places}d}" if places else f"{currency.upper()} {whole:,}"
