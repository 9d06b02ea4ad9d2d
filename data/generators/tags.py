"""Sentences with entities in BIO2: PER, LOC, ORG and DATE.

A sentence is a template with slots. A slot's text does not tell its type: Washington may be a person, a place or a
club, May a person, a month or the beginning of "may be late". What stands around it does.
"""

from generators import names
from generators.rng import Rng, unique

Token = tuple[str, str]

# Each slot names the type of its entity. CLUB and FIRM are ORG, SHORT is a person by one name only. At the end come
# groups of sentences that begin alike: there the type shows several words later.
TEMPLATES = """
{PER} was born in {LOC} {WHEN} .
{PER} was born in {LOC} and moved to {LOC} as a child .
{PER} , who lives in {LOC} , works for {ORG} .
{PER} joined {ORG} {WHEN} .
{PER} left {FIRM} {WHEN} to study in {LOC} .
{ORG} has hired {PER} as its new director .
{SHORT} told reporters in {LOC} that the talks had failed .
{SHORT} said the plan was too expensive .
" We are not ready , " said {SHORT} , who speaks for {ORG} .
Mr {SHORT} flew from {LOC} to {LOC} {WHEN} .
Mrs {SHORT} has lived in {LOC} since {YEAR} .
Dr {SHORT} of {ORG} will speak {WHEN} .
{SHORT} and {SHORT} met in {LOC} {WHEN} .
{SHORT} lost the keys in {LOC} and had to call {SHORT} .
Everyone in the office likes {SHORT} , but {SHORT} is hard to please .
My neighbour {SHORT} may be late .
We may march through {LOC} {WHEN} .
The soldiers will march to {LOC} {WHEN} .
{SHORT} may visit us in {MONTH} .
In {MONTH} {SHORT} opened a small shop in {LOC} .
The bridge in {LOC} was closed {WHEN} .
The road from {LOC} to {LOC} is {NUMBER} kilometres long .
It rained in {LOC} {WHEN} .
{LOC} is a quiet town near {LOC} .
Thousands of people left {LOC} after the flood {WHEN} .
Trains to {LOC} leave every {NUMBER} minutes .
The mayor of {LOC} resigned {WHEN} .
Prices in {LOC} rose by {NUMBER} per cent in {MONTH} .
A strong wind blew over {LOC} and {LOC} {WHEN} .
The river flows through {LOC} , {LOC} and {LOC} .
{FIRM} opened a factory in {LOC} {WHEN} .
{FIRM} will close its offices in {LOC} and {LOC} by {DATE} .
Shares in {FIRM} fell by {NUMBER} per cent {WHEN} .
{FIRM} bought {FIRM} for {NUMBER} million euros {WHEN} .
The chairman of {FIRM} , {PER} , declined to comment .
{ORG} published its report {WHEN} .
Researchers at {ORG} counted {NUMBER} birds near {LOC} .
According to {ORG} , {NUMBER} people moved to {LOC} {WHEN} .
{PER} paid {ORG} a visit {WHEN} .
{CLUB} beat {CLUB} 3 - 1 {WHEN} .
{CLUB} signed {PER} from {CLUB} {WHEN} .
{CLUB} lost at home to {CLUB} {WHEN} .
{SHORT} scored twice for {CLUB} in {LOC} .
Fans of {CLUB} travelled to {LOC} for the final .
The coach of {CLUB} , {SHORT} , praised his team .
{SHORT} wrote a letter to {SHORT} , but it never reached {LOC} .
A painting by {PER} was sold in {LOC} for {NUMBER} dollars .
The trial of {PER} begins in {LOC} {WHEN} .
{PER} ( {ORG} ) won the prize .
The museum is open from {DATE} to {DATE} .
Please send the form to {ORG} , {LOC} , before {DATE} .
They married in {LOC} {WHEN} .
On {WEEKDAY} {SHORT} bought {NUMBER} tickets to {LOC} .
The concert was moved from {WEEKDAY} to {WEEKDAY} .
The contract between {FIRM} and {ORG} ends {WHEN} .
Nobody knew the answer .
The weather may change again tomorrow evening at the latest , said {SHORT} .
The company sold {NUMBER} cars in one quarter .
{SHORT} has more than {NUMBER} cousins .
{LOC} has more than {NUMBER} inhabitants .
{FIRM} has more than {NUMBER} employees .
{CLUB} has more than {NUMBER} loyal fans .
We talked about {SHORT} and his brother .
We talked about {LOC} and its harbour .
We talked about {FIRM} and its shares .
{SHORT} was hit by a ball {WHEN} .
{LOC} was hit by a storm {WHEN} .
{FIRM} was hit by a strike {WHEN} .
I have never seen {SHORT} in such a good mood .
I have never seen {LOC} in such deep snow .
I have never seen {CLUB} in such poor form .
Nobody had heard of {SHORT} before she won the race .
Nobody had heard of {LOC} before the airport was built .
Nobody had heard of {FIRM} before the shares doubled .
The news about {SHORT} came as a shock to his mother .
The news about {LOC} came as a shock to its inhabitants .
The news about {FIRM} came as a shock to its customers .
{SHORT} is known for a fine voice .
{LOC} is known for a fine beach .
{FIRM} is known for a fine pension .
After {NUMBER} years {SHORT} finally went back to school .
After {NUMBER} years {LOC} finally got a station .
After {NUMBER} years {FIRM} finally paid its debts .
""".strip().splitlines()

WHEN_FRAMES = ["on {DATE}", "in {MONTH}", "in {MONTHYEAR}", "in {YEAR}", "on {WEEKDAY}", "{RELATIVE}", "{RELATIVE}",
               "in the {SEASON}"]  # fmt: skip
RELATIVE = ["yesterday", "today", "last week", "last year", "next month", "next {weekday}", "last {weekday}",
            "two years ago", "three days ago", "this morning", "last {month}"]  # fmt: skip
SEASONS = ["spring", "summer", "autumn", "winter"]
UNSEEN_RATE = 0.4
LOWER_CASE_RATE = 0.08
TYPES = {"PER": "PER", "SHORT": "PER", "LOC": "LOC", "ORG": "ORG", "FIRM": "ORG", "CLUB": "ORG", "DATE": "DATE",
         "MONTH": "DATE", "MONTHYEAR": "DATE", "YEAR": "DATE", "WEEKDAY": "DATE", "RELATIVE": "DATE",
         "SEASON": "DATE"}  # fmt: skip


class EntityWriter:
    """Draws the text of entities; with `unseen`, some come from stems that training never shows."""

    def __init__(self, rng: Rng, unseen: bool) -> None:
        self.rng = rng
        self.unseen = unseen

    def from_pool(self, seen: list[str], unseen: list[str]) -> str:
        return self.rng.pick(unseen if self.unseen and self.rng.chance(UNSEEN_RATE) else seen)

    def surname(self) -> str:
        if self.rng.chance(0.2):
            return self.rng.pick(names.AMBIGUOUS)
        return self.from_pool(names.SURNAME_STEMS, names.UNSEEN_SURNAME_STEMS) + self.rng.pick(names.SURNAME_ENDINGS)

    def first_name(self) -> str:
        if self.rng.chance(0.05):
            return self.rng.pick(names.MONTH_NAMES[:3])
        return self.from_pool(names.FIRST_NAMES, names.UNSEEN_FIRST_NAMES)

    def person(self) -> str:
        middle = f" {self.rng.pick('ABCDEFGHJKLMRSTW')}." if self.rng.chance(0.1) else ""
        return f"{self.first_name()}{middle} {self.surname()}"

    def short(self) -> str:
        """One name, first or last, which may be that of a place or a month."""
        kind = self.rng.weighted({"surname": 5, "first": 3, "ambiguous": 2, "month": 0.7})
        if kind == "surname":
            return self.surname()
        if kind == "first":
            return self.first_name()
        return self.rng.pick(names.AMBIGUOUS if kind == "ambiguous" else names.MONTH_NAMES)

    def town(self) -> str:
        return self.from_pool(names.PLACE_STEMS, names.UNSEEN_PLACE_STEMS) + self.rng.pick(names.PLACE_ENDINGS)

    def place(self) -> str:
        if self.rng.chance(0.3):
            return self.rng.pick(names.AMBIGUOUS)
        return self.rng.pick(names.PLACE_FRAMES).format(self.town())

    def club(self) -> str:
        name = self.rng.pick(names.AMBIGUOUS) if self.rng.chance(0.4) else self.town()
        return f"{name} {self.rng.pick(names.CLUB_ENDINGS)}" if self.rng.chance(0.5) else name

    def firm(self) -> str:
        name = self.surname() if self.rng.chance(0.6) else self.town()
        return name if self.rng.chance(0.25) else f"{name} {self.rng.pick(names.COMPANY_ENDINGS)}"

    def organisation(self) -> str:
        if self.rng.chance(0.3):
            return self.firm()
        place = self.rng.pick(names.AMBIGUOUS) if self.rng.chance(0.3) else self.town()
        return self.rng.pick(names.ORG_FRAMES).format(place=place, field=self.rng.pick(names.FIELDS))

    def date(self) -> str:
        day, month, year = self.rng.integer(1, 28), self.rng.pick(names.MONTHS), self.rng.integer(1950, 2025)
        frame = self.rng.pick(["{day} {month} {year}", "{day} {month}", "{month} {day} , {year}", "{month} {day}"])
        return frame.format(day=day, month=month, year=year)

    def relative_date(self) -> str:
        """yesterday, next Monday, two years ago"""
        weekday, month = self.rng.pick(names.WEEKDAYS), self.rng.pick(names.MONTHS)
        return self.rng.pick(RELATIVE).format(weekday=weekday, month=month)

    def entity(self, slot: str) -> str:
        """The text for a slot of a template."""
        rng = self.rng
        makers = {
            "PER": self.person, "SHORT": self.short, "LOC": self.place, "CLUB": self.club, "FIRM": self.firm,
            "ORG": self.organisation, "DATE": self.date, "MONTH": lambda: rng.pick(names.MONTHS),
            "MONTHYEAR": lambda: f"{rng.pick(names.MONTHS)} {rng.integer(1950, 2025)}",
            "YEAR": lambda: str(rng.integer(1950, 2025)), "WEEKDAY": lambda: rng.pick(names.WEEKDAYS),
            "SEASON": lambda: f"{rng.pick(SEASONS)} of {rng.integer(1950, 2025)}",
            "RELATIVE": self.relative_date,
        }  # fmt: skip
        return makers[slot]()


def number(rng: Rng) -> str:
    """A number that is no date, though it may look like a year."""
    return rng.pick([str(rng.integer(2, 99)), str(rng.integer(1000, 2999)), "two", "twelve", "seven"])


def sentence(rng: Rng, unseen: bool) -> list[Token]:
    """A tagged sentence."""
    entities = EntityWriter(rng, unseen)
    template = rng.pick(TEMPLATES)
    tokens: list[Token] = []
    while "{WHEN}" in template:
        template = template.replace("{WHEN}", rng.pick(WHEN_FRAMES), 1)
    for word in template.split():
        slot = word.strip("{}")
        if slot in TYPES:
            parts = entities.entity(slot).split()
            tokens += [(part, f"{'I' if at else 'B'}-{TYPES[slot]}") for at, part in enumerate(parts)]
        else:
            tokens.append((number(rng) if word == "{NUMBER}" else word, "O"))
    if rng.chance(0.1):
        tokens = tokens[:-1]
    if rng.chance(LOWER_CASE_RATE):
        return [(token.lower(), tag) for token, tag in tokens]
    return [(tokens[0][0][0].upper() + tokens[0][0][1:], tokens[0][1]), *tokens[1:]]


def text(tokens: list[Token]) -> str:
    """The words of a sentence, which tell it from others."""
    return " ".join(token for token, _ in tokens).lower()


def splits(rng: Rng, sizes: dict[str, int]) -> dict[str, list[list[Token]]]:
    """The tagged sentences of every split."""
    seen: set[str] = set()
    return {
        split: unique(lambda unseen=split != "train": sentence(rng, unseen), text, size, seen)  # type: ignore[misc]
        for split, size in sizes.items()
    }
