"""Why a suggestion has its score: every kind of evidence with its points and what it says to people.

A sentence never holds a name, a number or a phone: what it is about may not be the reader's to know. How the points
were found: docs/explanation/claim-scores.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AUTO_CLAIM_SCORE = 80  # what a store is advised to set; precision is tested at this value
NEAR_TIE = 20  # a rival this close takes away what is missing to it
WITHOUT_IDENTITY = 45  # the most that amount and time alone can bring


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of evidence: what it is worth, in English and in Swahili."""

    points: int
    english: str
    swahili: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence for or against a suggestion, as counted."""

    code: str
    points: int

    @property
    def english(self) -> str:
        """A sentence for people."""
        return KINDS[self.code].english

    @property
    def swahili(self) -> str:
        """The same in Swahili."""
        return KINDS[self.code].swahili


KINDS: Mapping[str, Kind] = {
    "reference_checked": Kind(
        60,
        "The account reference is this order's, and its check character holds.",
        "Namba ya akaunti ni ya oda hii, na herufi yake ya uhakiki ni sahihi.",
    ),
    "reference_exact": Kind(52, "The payer typed this order's number.", "Mlipaji ameandika namba ya oda hii."),
    "reference_corrected": Kind(
        38,
        "The account reference is one slip away from this order's.",
        "Namba ya akaunti inatofautiana na ya oda hii kwa kosa moja.",
    ),
    "reference_near": Kind(
        18,
        "What the payer typed is one or two slips away from this order's number.",
        "Alichoandika mlipaji kinatofautiana kidogo na namba ya oda hii.",
    ),
    "reference_short": Kind(
        14,
        "The payer typed this order's number, but it is too short to prove much.",
        "Mlipaji ameandika namba ya oda hii, lakini ni fupi mno kuthibitisha.",
    ),
    "reference_digits": Kind(
        30, "The payer typed the digits of this order's number.", "Mlipaji ameandika tarakimu za namba ya oda hii."
    ),
    "reference_phone": Kind(
        20,
        "The payer typed this customer's phone number as the account.",
        "Mlipaji ameandika namba ya simu ya mteja huyu kama akaunti.",
    ),
    "reference_other": Kind(
        -12, "The payer typed another account reference.", "Mlipaji ameandika namba nyingine ya akaunti."
    ),
    "reference_of_another_order": Kind(
        -60,
        "The account reference names another order of this store.",
        "Namba ya akaunti inataja oda nyingine ya duka hili.",
    ),
    "reference_of_another_store": Kind(
        -80,
        "The account reference begins with another store's prefix.",
        "Namba ya akaunti inaanza na herufi za duka lingine.",
    ),
    "amount_exact": Kind(26, "The amount is what is still owed.", "Kiasi ni kile kilichobaki kulipwa."),
    "amount_rounded": Kind(
        16, "The amount is what is owed, rounded up.", "Kiasi ni kinachodaiwa, kikiwa kimekamilishwa juu."
    ),
    "amount_whole": Kind(
        10,
        "The amount is the whole price, of which a part is paid already.",
        "Kiasi ni bei nzima, ambayo sehemu yake imeshalipwa.",
    ),
    "amount_less_fee": Kind(
        8, "The amount is what is owed less about a fee.", "Kiasi ni kinachodaiwa kikipungua ada ndogo."
    ),
    "amount_slip": Kind(
        2, "The amount is one slip away from what is owed.", "Kiasi kinatofautiana na kinachodaiwa kwa kosa moja."
    ),
    "amount_part": Kind(0, "The amount is a part of what is owed.", "Kiasi ni sehemu ya kinachodaiwa."),
    "amount_other": Kind(-15, "The amount is more than what is owed.", "Kiasi kimezidi kinachodaiwa."),
    "phone_same": Kind(35, "The phone is the customer's.", "Simu ni ya mteja."),
    "phone_masked": Kind(
        12, "What can be seen of the phone fits the customer's.", "Sehemu ya simu inayoonekana inalingana na ya mteja."
    ),
    "phone_other": Kind(-3, "Another phone than the customer's paid.", "Simu nyingine isiyo ya mteja imelipa."),
    "name_same": Kind(15, "The payer's name is the customer's.", "Jina la mlipaji ni la mteja."),
    "name_part": Kind(7, "A part of the payer's name is the customer's.", "Sehemu ya jina la mlipaji ni la mteja."),
    "name_initials": Kind(
        2, "Only initials of the payer's name fit the customer's.", "Herufi za mwanzo za jina zinalingana na za mteja."
    ),
    "name_other": Kind(-3, "The payer has another name.", "Mlipaji ana jina lingine."),
    "time_minutes": Kind(8, "It came within half an hour of the order.", "Ililipwa ndani ya nusu saa ya oda."),
    "time_hours": Kind(6, "It came within six hours of the order.", "Ililipwa ndani ya saa sita za oda."),
    "time_day": Kind(4, "It came within a day of the order.", "Ililipwa ndani ya siku moja ya oda."),
    "time_week": Kind(1, "It came within a week of the order.", "Ililipwa ndani ya wiki moja ya oda."),
    "time_late": Kind(-12, "It came more than a week after the order.", "Ililipwa zaidi ya wiki baada ya oda."),
    "time_before": Kind(-16, "The money came before the order was made.", "Pesa zilifika kabla ya oda kufanywa."),
    "order_closed": Kind(-15, "The order is canceled or expired.", "Oda imeghairiwa au muda wake umekwisha."),
    "identity_unknown": Kind(
        0,
        "Too little says who paid: amount and time alone are never enough.",
        "Haijulikani vya kutosha nani amelipa: kiasi na muda pekee havitoshi.",
    ),
    "ambiguous": Kind(
        -NEAR_TIE, "Something else fits as well, or nearly.", "Kuna kingine kinacholingana vivyo hivyo, au karibu."
    ),
}


def reason(code: str) -> Reason:
    """The evidence with its usual points."""
    return Reason(code, KINDS[code].points)
