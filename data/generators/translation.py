"""Pairs of English and German phrases about numbers, dates, times and small quantities.

The translation is a function: an English phrase has one German answer. It is also systematic, so a small network can
learn it from a few thousand pairs although it never sees the phrases of the test.
"""

from dataclasses import dataclass

from generators import number_words as words
from generators.rng import Rng, unique

Pair = tuple[str, str]


@dataclass(frozen=True)
class Noun:
    """A noun in both languages; the gender is m, f or n."""

    english: str
    english_plural: str
    german: str
    german_plural: str
    gender: str


def nouns(table: str) -> list[Noun]:
    """The nouns in a table of `English, plural, German, plural, gender` lines."""
    return [Noun(*line.split()) for line in table.strip().splitlines()]


THINGS = nouns("""
apple apples Apfel Äpfel m
pear pears Birne Birnen f
book books Buch Bücher n
house houses Haus Häuser n
car cars Auto Autos n
dog dogs Hund Hunde m
cat cats Katze Katzen f
child children Kind Kinder n
table tables Tisch Tische m
chair chairs Stuhl Stühle m
egg eggs Ei Eier n
flower flowers Blume Blumen f
tree trees Baum Bäume m
bird birds Vogel Vögel m
letter letters Brief Briefe m
picture pictures Bild Bilder n
door doors Tür Türen f
window windows Fenster Fenster n
key keys Schlüssel Schlüssel m
bottle bottles Flasche Flaschen f
ship ships Schiff Schiffe n
shoe shoes Schuh Schuhe m
horse horses Pferd Pferde n
mouse mice Maus Mäuse f
""")
# What an ordinal may count.
PARTS = nouns("""
week weeks Woche Wochen f
month months Monat Monate m
year years Jahr Jahre n
round rounds Runde Runden f
chapter chapters Kapitel Kapitel n
row rows Reihe Reihen f
street streets Straße Straßen f
house houses Haus Häuser n
song songs Lied Lieder n
""")
ADJECTIVES = {"red": "rot", "blue": "blau", "green": "grün", "black": "schwarz", "white": "weiß", "old": "alt",
              "new": "neu", "small": "klein", "big": "groß", "beautiful": "schön"}  # fmt: skip
MONTHS = {"January": "Januar", "February": "Februar", "March": "März", "April": "April", "May": "Mai", "June": "Juni",
          "July": "Juli", "August": "August", "September": "September", "October": "Oktober", "November": "November",
          "December": "Dezember"}  # fmt: skip
WEEKDAYS = {"Monday": "Montag", "Tuesday": "Dienstag", "Wednesday": "Mittwoch", "Thursday": "Donnerstag",
            "Friday": "Freitag", "Saturday": "Samstag", "Sunday": "Sonntag"}  # fmt: skip
PLACES = {"page": "auf Seite", "room": "in Zimmer", "platform": "auf Gleis", "line": "in Zeile"}
VERBS = {"I have": "ich habe", "we need": "wir brauchen", "she buys": "sie kauft", "they see": "sie sehen",
         "he is looking for": "er sucht", "I can see": "ich sehe"}  # fmt: skip
EVENTS = {"the train leaves": ("der Zug fährt", " ab"), "the meeting begins": ("die Sitzung beginnt", ""),
          "the shop closes": ("das Geschäft schließt", ""), "we meet": ("wir treffen uns", ""),
          "I get up": ("ich stehe", " auf"), "she calls": ("sie ruft", " an")}  # fmt: skip
PAST_EVENTS = {"he was born": ("er wurde", " geboren"), "she arrived": ("sie ist", " angekommen"),
               "the bridge was opened": ("die Brücke wurde", " eröffnet")}  # fmt: skip

INDEFINITE = {
    "nominative": {"m": "ein", "f": "eine", "n": "ein"},
    "accusative": {"m": "einen", "f": "eine", "n": "ein"},
}
# The ending of an adjective after ein, eine, einen.
ENDINGS = {"nominative": {"m": "er", "f": "e", "n": "es"}, "accusative": {"m": "en", "f": "e", "n": "es"}}
DEFINITE = {"m": "der", "f": "die", "n": "das"}
IN_THE = {"m": "im", "f": "in der", "n": "im"}


def below(rng: Rng, limit: int) -> int:
    """A number below the limit; short ones are as frequent as long ones."""
    digits = rng.integer(1, len(str(limit - 1)))
    return rng.integer(10 ** (digits - 1), min(10**digits, limit) - 1)


def numeral_day(day: int) -> str:
    """1st, 2nd, 3rd, 4th..."""
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def cardinal(rng: Rng) -> Pair:
    """A number below 10,000; those without hundreds, tens or both come more often than they would by chance."""
    number = rng.integer(0, 9999) if rng.chance(0.5) else below(rng, 10000)
    if number >= 1000 and rng.chance(0.2):
        number = number // 1000 * 1000 + number % 100
    if number >= 100 and rng.chance(0.15):
        number = number // 100 * 100 + number % 10
    return words.english(number), words.german(number)


def numbered_place(rng: Rng) -> Pair:
    place, number = rng.pick(list(PLACES)), below(rng, 1000)
    return f"{place} {words.english(number)}", f"{PLACES[place]} {words.german(number)}"


def quantity(rng: Rng, case: str = "nominative") -> Pair:
    """One or several things, with an adjective or without: one red apple, forty-two pears."""
    thing, adjective = rng.pick(THINGS), rng.pick(list(ADJECTIVES))
    with_adjective = rng.chance(0.6)
    english_adjective = f"{adjective} " if with_adjective else ""
    if rng.chance(0.35):
        german_adjective = f"{ADJECTIVES[adjective]}{ENDINGS[case][thing.gender]} " if with_adjective else ""
        article = INDEFINITE[case][thing.gender]
        return f"one {english_adjective}{thing.english}", f"{article} {german_adjective}{thing.german}"
    german_adjective = f"{ADJECTIVES[adjective]}e " if with_adjective else ""
    number = rng.integer(2, 12) if rng.chance(0.5) else rng.integer(13, 99)
    return (
        f"{words.english(number)} {english_adjective}{thing.english_plural}",
        f"{words.german(number)} {german_adjective}{thing.german_plural}",
    )


def two_quantities(rng: Rng) -> Pair:
    first, second = quantity(rng), quantity(rng)
    return f"{first[0]} and {second[0]}", f"{first[1]} und {second[1]}"


def possession(rng: Rng) -> Pair:
    """A sentence whose object is in the accusative: she buys one red apple."""
    verb, thing = rng.pick(list(VERBS)), quantity(rng, "accusative")
    return f"{verb} {thing[0]}", f"{VERBS[verb]} {thing[1]}"


def ordinal(rng: Rng) -> Pair:
    """the third house; in the twenty-first chapter"""
    part, number = rng.pick(PARTS), rng.integer(1, 99)
    english, german = f"{words.english_ordinal(number)} {part.english}", words.german_ordinal(number)
    if rng.chance(0.4):
        return f"in the {english}", f"{IN_THE[part.gender]} {german}n {part.german}"
    return f"the {english}", f"{DEFINITE[part.gender]} {german} {part.german}"


def year(rng: Rng) -> Pair:
    number = rng.integer(1800, 2029)
    return f"in {words.english_year(number)}", f"im Jahr {words.german_year(number)}"


def date(rng: Rng) -> Pair:
    """A day in figures, with or without "on" and the year."""
    day, month, number = rng.integer(1, 28), rng.pick(list(MONTHS)), rng.integer(1950, 2029)
    english, german = f"{month} {numeral_day(day)}", f"{day}. {MONTHS[month]}"
    with_year, of_form = rng.chance(0.5), rng.chance(0.5)
    if of_form:
        english = f"the {numeral_day(day)} of {month}"
    if with_year:
        english += f" {number}" if of_form else f", {number}"
        german += f" {number}"
    return (f"on {english}", f"am {german}") if rng.chance(0.6) else (english, f"der {german}")


def spoken_date(rng: Rng) -> Pair:
    """A day in words, as somebody would dictate it: on march third, nineteen eighty-seven."""
    day, month, number = rng.integer(1, 28), rng.pick(list(MONTHS)), rng.integer(1900, 2029)
    with_year = rng.chance(0.6)
    return (
        f"on {month.lower()} {words.english_ordinal(day)}" + (f", {words.english_year(number)}" if with_year else ""),
        f"am {words.german_ordinal(day)}n {MONTHS[month]}" + (f" {words.german_year(number)}" if with_year else ""),
    )


def past_event(rng: Rng) -> Pair:
    """A sentence whose participle goes to the end: he was born on the 3rd of March."""
    event = rng.pick(list(PAST_EVENTS))
    before, after = PAST_EVENTS[event]
    when = rng.pick([date, spoken_date, year])(rng)
    while when[1].startswith("der "):
        when = date(rng)
    return f"{event} {when[0]}", f"{before} {when[1]}{after}"


def clock(rng: Rng) -> Pair:
    """A time of day: half past four is the half of the fifth hour in German."""
    hour = rng.integer(1, 12)
    here, there = words.english(hour), words.german(hour)
    minutes = rng.pick([5, 10, 20])
    half = (f"half past {here}", f"halb {words.german(hour % 12 + 1)}")
    return half if rng.chance(0.2) else rng.pick([
        half,
        (f"{here} o'clock", f"{words.german_stem(hour)} Uhr"),
        (f"a quarter past {here}", f"Viertel nach {there}"),
        (f"a quarter to {here}", f"Viertel vor {there}"),
        (f"{words.english(minutes)} past {here}", f"{words.german(minutes)} nach {there}"),
        (f"{words.english(minutes)} to {here}", f"{words.german(minutes)} vor {there}"),
    ])  # fmt: skip


def appointment(rng: Rng) -> Pair:
    """A time, with a weekday or without: on Monday at half past four."""
    english, german = clock(rng)
    weekday = rng.pick(list(WEEKDAYS))
    frames = [
        ("{english}", "{german}"), ("at {english}", "um {german}"),
        ("on {weekday} at {english}", "am {wochentag} um {german}"),
        ("every {weekday} at {english}", "jeden {wochentag} um {german}"),
        ("not before {english}", "nicht vor {german}"),
    ]  # fmt: skip
    values = {"english": english, "german": german, "weekday": weekday, "wochentag": WEEKDAYS[weekday]}
    source, target = rng.pick(frames)
    return source.format(**values), target.format(**values)


def timetable(rng: Rng) -> Pair:
    """A sentence whose verb may split: the train leaves at six o'clock -> der Zug fährt um sechs Uhr ab."""
    event = rng.pick(list(EVENTS))
    before, after = EVENTS[event]
    english, german = clock(rng)
    weekday = rng.pick(list(WEEKDAYS))
    if rng.chance(0.5):
        return f"{event} on {weekday} at {english}", f"{before} am {WEEKDAYS[weekday]} um {german}{after}"
    return f"{event} at {english}", f"{before} um {german}{after}"


def measure(rng: Rng) -> Pair:
    """Prices, shares, temperatures, decimals: three euros and forty cents."""
    number, second = rng.integer(2, 99), rng.integer(2, 99)
    here, there = words.english(number), words.german(number)
    digit, other = rng.integer(0, 9), rng.integer(0, 9)
    return rng.pick([
        (f"{here} per cent", f"{there} Prozent"),
        (f"minus {here} degrees", f"minus {there} Grad"),
        (f"{here} euros", f"{there} Euro"),
        (f"{here} euros and {words.english(second)} cents", f"{there} Euro und {words.german(second)} Cent"),
        (f"{here} point {words.english(digit)}", f"{there} Komma {words.german(digit)}"),
        (f"{here} point {words.english(digit)} {words.english(other)}",
         f"{there} Komma {words.german(digit)} {words.german(other)}"),
    ])  # fmt: skip


KINDS = {
    cardinal: 10, numbered_place: 2, quantity: 6, two_quantities: 4, possession: 5, ordinal: 4, year: 2, date: 6,
    spoken_date: 4, past_event: 3, appointment: 7, timetable: 4, measure: 5,
}  # fmt: skip


def splits(rng: Rng, sizes: dict[str, int]) -> dict[str, list[Pair]]:
    """English and German phrases for every split; no English phrase comes twice."""
    seen: set[str] = set()
    return {
        split: unique(lambda: rng.weighted(KINDS)(rng), lambda pair: pair[0].lower(), size, seen)
        for split, size in sizes.items()
    }
