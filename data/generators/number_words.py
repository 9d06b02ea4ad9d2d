"""Whole numbers from 0 to 9,999 in English and German words."""

ENGLISH_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
""".split()
ENGLISH_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ENGLISH_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

GERMAN_SMALL = """
null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn
neunzehn
""".split()
GERMAN_TENS = ["", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
GERMAN_ORDINALS = {1: "erste", 3: "dritte", 7: "siebte", 8: "achte"}


def english(number: int) -> str:
    """The English cardinal: 3412 -> three thousand four hundred and twelve."""
    if number < 20:
        return ENGLISH_SMALL[number]
    if number < 100:
        return ENGLISH_TENS[number // 10] + (f"-{ENGLISH_SMALL[number % 10]}" if number % 10 else "")
    if number < 1000:
        head, rest = f"{ENGLISH_SMALL[number // 100]} hundred", number % 100
    else:
        head, rest = f"{ENGLISH_SMALL[number // 1000]} thousand", number % 1000
    return head + (" and " if 0 < rest < 100 else " " if rest else "") + (english(rest) if rest else "")


def german_stem(number: int) -> str:
    """The German cardinal as it stands before a noun or inside a longer number: 21 -> einundzwanzig, 1 -> ein."""
    if number < 20:
        return GERMAN_SMALL[number]
    if number < 100:
        unit = f"{GERMAN_SMALL[number % 10]}und" if number % 10 else ""
        return unit + GERMAN_TENS[number // 10]
    size, name = (100, "hundert") if number < 1000 else (1000, "tausend")
    rest = number % size
    return GERMAN_SMALL[number // size] + name + (german_stem(rest) if rest else "")


def german(number: int) -> str:
    """The German cardinal that stands alone, where a final one is `eins`: 101 -> einhunderteins."""
    return german_stem(number) + ("s" if number % 100 == 1 else "")


def english_ordinal(number: int) -> str:
    """The English ordinal up to 99: 21 -> twenty-first."""
    word = english(number)
    head, dash, last = word.rpartition("-")
    if last.endswith("y"):
        return f"{last[:-1]}ieth"
    return head + dash + ENGLISH_ORDINALS.get(last, f"{last}th")


def german_ordinal(number: int) -> str:
    """The German ordinal up to 99 with the ending -e: 3 -> dritte, 21 -> einundzwanzigste."""
    return GERMAN_ORDINALS.get(number) or german_stem(number) + ("te" if number < 20 else "ste")


def english_year(year: int) -> str:
    """A year as it is read: 1987 -> nineteen eighty-seven, 1905 -> nineteen oh five, 2004 -> two thousand and four."""
    century, rest = divmod(year, 100)
    if century == 20 and rest < 10:
        return english(year)
    if rest == 0:
        return f"{english(century)} hundred"
    return f"{english(century)} {'oh ' if rest < 10 else ''}{english(rest)}"


def german_year(year: int) -> str:
    """A year as it is read: 1987 -> neunzehnhundertsiebenundachtzig, 2004 -> zweitausendvier."""
    century, rest = divmod(year, 100)
    if century == 20:
        return german(year)
    return f"{german_stem(century)}hundert{german(rest) if rest else ''}"
