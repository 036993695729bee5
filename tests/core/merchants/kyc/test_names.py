"""How names are compared, and how well: precision and recall over made-up people."""

from __future__ import annotations

import random
from datetime import date

import pytest

from majuu_core.merchants.kyc.names import name_likeness, tokens
from majuu_core.merchants.kyc.sanctions import Entry, SanctionsList

# Spellings of one name, as passports of different countries have them.
SPELLINGS: tuple[tuple[str, ...], ...] = (
    ("Mohammed", "Muhammad", "Mohamed", "Mohamad"),
    ("Hussein", "Hussain", "Husayn"),
    ("Yusuf", "Youssef", "Yousuf"),
    ("Osama", "Usama"),
    ("Ahmed", "Ahmad"),
    ("Abdulrahman", "Abdul Rahman", "Abdul-Rahman"),
    ("Khalid", "Khaled", "Halid"),
    ("Aleksandr", "Alexander", "Александр"),
    ("Sergei", "Sergey", "Сергей"),
    ("Dmitri", "Dmitry", "Дмитрий"),
    ("José", "Jose"),
    ("Müller", "Muller", "Mueller"),
    ("Nguyễn", "Nguyen"),
    ("Qasim", "Kassim", "Qassem"),
    ("Faisal", "Faysal"),
    ("Wycliffe", "Wyclif"),
    ("Njoroge", "Njoroge"),
    ("Otieno", "Otieno"),
    ("Chukwuemeka", "Chukwuemeka"),
    ("Sokolov", "Соколов"),
)
SURNAMES = (
    "Barasa Cheruiyot Farah Galgalo Hirsi Ivanov Jelagat Kiplagat Lumumba Maina Nasser Odhiambo Petrov Quansah Rotich "
    "Saleh Tumusiime Umar Vasquez Wekesa Yeboah Zubair Bakari Duale Estrada Fofanah Guerrero Haddad Ismail Jibril"
).split()


def likeness(first: str, second: str) -> int:
    return name_likeness(tokens(first), tokens(second)).score


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Wanjiru Kamau", "KAMAU, Wanjiru"),
        ("Osama bin Laden", "Usama Bin Ladin"),
        ("Владимир Путин", "Vladimir Putin"),
        ("Abdulrahman Yusuf", "Abdul Rahman Youssef"),
        ("Jean-Pierre O'Brien", "Jean Pierre OBrien"),
        ("Wanjiru Kamau", "Wanjiru Njoki Kamau"),
        ("Acme Trading Limited", "ACME Trading Company Ltd."),
        ("Dr. José Müller", "Jose Mueller"),
    ],
)
def test_spellings_order_titles_and_forms_do_not_hide_a_name(first: str, second: str) -> None:
    assert likeness(first, second) >= 85
    assert likeness(first, second) == likeness(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("John Otieno", "John Kamau"),
        ("Kamau", "Joseph Kamau"),
        ("Peter Mwangi", "Peter Mwaura"),
        ("Ali Hassan Omar", "Ali Farah Noor"),
        ("Blue Nile Foods Ltd", "Blue Ocean Shipping Ltd"),
        ("", "John Kamau"),
    ],
)
def test_one_common_word_is_not_enough(first: str, second: str) -> None:
    assert likeness(first, second) < 85


def test_an_explanation_names_the_pairs_and_what_is_only_on_the_list() -> None:
    found = name_likeness(tokens("Mohammed Kamau"), tokens("Kamau Muhammad Ali"))
    assert (found.score, found.explanation) == (87, "kamau = kamau, mohammed ~ muhammad (98), only on the list: ali")


def people(rng: random.Random, count: int) -> list[tuple[str, str, str, int]]:
    """Made-up people: two given names and a surname, no two with the same three, and a year of birth."""
    made: dict[tuple[str, str, str], int] = {}
    while len(made) < count:
        first, second = (group[0] for group in rng.sample(SPELLINGS, 2))
        made.setdefault((first, second, rng.choice(SURNAMES)), rng.randint(1940, 2000))
    return [(*name, year) for name, year in made.items()]


def disguised(rng: random.Random, person: tuple[str, str, str, int]) -> str:
    """The same person as another document has them: other spellings, another order, perhaps a name or a letter less."""
    words = [rng.choice(next(group for group in SPELLINGS if group[0] == word)) for word in person[:2]]
    surname = person[2]
    kind = rng.randrange(4)
    if kind == 1:
        words.pop(rng.randrange(2))
    elif kind == 2:
        place = rng.randrange(2, len(surname))
        surname = surname[:place] + surname[place + 1 :]
    parts = [*words, surname]
    if kind == 3:
        rng.shuffle(parts)
    return " ".join(parts)


def measured(seed: int) -> tuple[float, float]:
    """Precision and recall: 300 people on a list, of whom 100 come in disguise, and 400 others."""
    rng = random.Random(seed)
    everybody = people(rng, 700)
    listed, others = everybody[:300], everybody[300:]
    entries = [
        Entry(list_code="T", entry_id=str(number), names=(" ".join(one[:3]),), births=(str(one[3]),), country="")
        for number, one in enumerate(listed)
    ]
    found_right = found_wrong = 0
    searched = SanctionsList(entries)
    for number, one in enumerate(listed[:100]):
        found = {item.entry_id for item in searched.find(disguised(rng, one), born(one))}
        found_right += str(number) in found
        found_wrong += len(found - {str(number)})
    found_wrong += sum(len(list(searched.find(disguised(rng, one), born(one)))) for one in others)
    return found_right / (found_right + found_wrong), found_right / 100


def born(person: tuple[str, str, str, int]) -> date:
    return date(person[3], 6, 1)


def test_precision_and_recall_over_made_up_people() -> None:
    precision, recall = measured(seed=1)
    assert recall >= 0.97
    assert precision >= 0.85
