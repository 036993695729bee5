"""People for the labelled set: households that share names, phones and wallets. All of them are made up."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST = (
    "Akinyi Atieno Achieng Adhiambo Wanjiku Wambui Njeri Nyambura Chebet Jepkoech Cherono Mwende Ndinda "
    "Kalekye Amina Halima Zawadi Neema Faith Mercy Grace Joy Esther Ruth Mary Jane Ann Lucy Rose Otieno "
    "Ochieng Omondi Odhiambo Kamau Mwangi Njoroge Kariuki Kiprono Kipchoge Kibet Mutua Musyoka Kilonzo "
    "Hassan Abdi Juma Baraka Brian Kevin Dennis John Peter James David"
).split()
LAST = (
    "Odinga Owino Okoth Onyango Ouma Wafula Wekesa Simiyu Barasa Kimani Gitau Maina Ndungu Waweru Karanja "
    "Koech Rotich Langat Cheruiyot Bett Muthoka Nzioka Kioko Wambua Mohamed Ali Farah Noor Said Mwakio "
    "Mwadime Kazungu Charo Nyongesa Makokha"
).split()
NICKNAMES = "queen sunshine bigman shugaa mrembo tito kijana blessed champion simba".split()


@dataclass(frozen=True)
class Person:
    """Somebody with a phone that may be the whole household's."""

    first: str
    middle: str
    last: str
    phone: str  # 254 and nine digits
    email: str
    household: int

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def make_people(source: random.Random, households: int) -> list[Person]:
    """Households of one to four. In a fifth of them everybody uses one phone."""
    people = []
    for number in range(households):
        last, shared = source.choice(LAST), _phone(source)
        one_phone = source.random() < 0.2
        for _ in range(source.choice((1, 1, 1, 2, 3, 4))):
            first, middle = source.sample(FIRST, 2)
            email = _email(source, first, last)
            phone = shared if one_phone else _phone(source)
            people.append(Person(first, middle, last, phone, email, number))
    return people


def _phone(source: random.Random) -> str:
    return f"254{source.choice('71')}{source.randrange(10**8):08d}"


def _email(source: random.Random, first: str, last: str) -> str:
    local = source.choice(
        [
            *(f"{first}.{last}", f"{first[0]}{last}", f"{last}{first[0]}{source.randrange(99)}", first + last, ""),
            source.choice(NICKNAMES) + str(source.randrange(999)),
        ]
    )
    return f"{local.lower()}@example.com" if local else ""
