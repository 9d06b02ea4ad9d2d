"""English reviews with a label, `positive` or `negative`.

A review is put together from clauses whose polarity is known, so its label follows from how they are joined: the main
clause wins over a concession, what comes after "but" wins over what came before, negation turns a word round. Praise
and blame both occur in either class, which is why counting words is not enough.
"""

from generators.review_words import (
    BAD,
    DOMAINS,
    GOOD,
    STRONG_BAD,
    STRONG_GOOD,
    UNSEEN_BAD,
    UNSEEN_GOOD,
    Aspect,
    Domain,
)  # fmt: skip
from generators.rng import Rng, unique

VERY = ["", "", "", "very ", "really ", "so ", "pretty ", "rather ", "quite ", "extremely ", "surprisingly "]
ABSOLUTELY = ["", "", "absolutely ", "truly ", "simply ", "really "]
NEGATED = ["not {} at all", "not at all {}", "hardly {}", "never {}", "anything but {}", "far from {}",
           "by no means {}", "not exactly {}", "not {}", "not the least bit {}"]  # fmt: skip
LIKED = ["I loved the {}", "I really enjoyed the {}", "we liked the {}", "I had no complaints about the {}",
         "I have nothing but praise for the {}", "I cannot praise the {} enough", "I did not mind the {} one bit",
         "the {} did not let us down", "the {} exceeded my expectations", "nobody could complain about the {}",
         "the {} won me over", "I never got tired of the {}"]  # fmt: skip
DISLIKED = ["I hated the {}", "I did not enjoy the {}", "we did not like the {}", "I had many complaints about the {}",
            "I have nothing good to say about the {}", "I could not stand the {}",
            "I had nothing but trouble with the {}", "the {} let us down", "the {} fell short of my expectations",
            "nobody could praise the {}", "the {} did not win me over", "I soon got tired of the {}"]  # fmt: skip
FILLERS = ["it was a Friday", "a friend came along", "this was my second try", "I took some time to write this",
           "I should say that I am no expert", "I had read nothing about it before", "we shared the cost"]  # fmt: skip
SOURCES = ["I had been told that", "everyone said that", "I had read that", "my friends warned me that",
           "I feared that", "people online claim that"]  # fmt: skip
CONFIRMED = ["and they were right", "and that is true", "and I agree", "and so it was"]
DENIED = ["but they were wrong", "but that is not true", "but I disagree", "but it was quite the opposite"]
RESCUED = ["but the {} made up for everything", "but the {} saved the day", "yet the {} made it all worthwhile"]
RUINED = ["but the {} ruined everything", "but the {} spoilt the whole thing", "yet the {} made it all pointless"]
TYPO_RATE = 0.06


class ReviewWriter:
    """Writes the clauses of one review about one kind of thing; `unseen` lets in the words kept for dev and test."""

    def __init__(self, rng: Rng, domain: Domain, unseen: bool) -> None:
        self.rng = rng
        self.domain = domain
        self.unseen = unseen
        self.past = rng.chance(0.6)
        self.unused = rng.shuffled(domain.aspects)

    def aspect(self) -> Aspect:
        """An aspect that this review has not spoken of."""
        return self.unused.pop()

    def adjective(self, aspect: Aspect, positive: bool) -> str:
        """A bare adjective that praises or blames the aspect."""
        general = (GOOD if positive else BAD) + (STRONG_GOOD if positive else STRONG_BAD)
        return self.rng.pick((aspect.good if positive else aspect.bad) if self.rng.chance(0.6) else general)

    def degree(self, aspect: Aspect, positive: bool) -> str:
        """An adjective with a fitting intensifier."""
        if self.unseen and self.rng.chance(0.04):
            return self.rng.pick(UNSEEN_GOOD if positive else UNSEEN_BAD)
        if self.rng.chance(0.25):
            return self.rng.pick(ABSOLUTELY) + self.rng.pick(STRONG_GOOD if positive else STRONG_BAD)
        own = aspect.good if positive else aspect.bad
        general = GOOD if positive else BAD
        return self.rng.pick(VERY) + self.rng.pick(own if self.rng.chance(0.7) else general)

    def predicate(self, aspect: Aspect, positive: bool) -> str:
        """What follows "the plot was"."""
        kind = self.rng.weighted({"plain": 8, "negated": 2, "not only": 0.3, "neither": 0.3, "hoped": 0.3})
        if kind == "negated":
            return self.rng.pick(NEGATED).format(self.adjective(aspect, not positive))
        if kind == "not only":
            first, second = self.rng.pick_two(aspect.good if positive else aspect.bad)
            return f"not only {first} but also {second}"
        if kind == "neither":
            first, second = self.rng.pick_two(aspect.bad if positive else aspect.good)
            return f"neither {first} nor {second}"
        if kind == "hoped":
            start = self.rng.pick(["every bit as", "just as"] if positive else ["nowhere near as", "not half as"])
            return f"{start} {self.rng.pick(aspect.good + ['good'])} as I had hoped"
        return self.degree(aspect, positive)

    def clause(self, positive: bool) -> str:
        """A main clause with the given polarity."""
        if self.rng.chance(0.22):
            return self.rng.pick(LIKED if positive else DISLIKED).format(self.aspect().noun)
        return self.statement(positive)

    def statement(self, positive: bool) -> str:
        """A main clause about an aspect, with nobody in it."""
        aspect = self.aspect()
        verb = ("were" if self.past else "are") if aspect.plural else ("was" if self.past else "is")
        return f"the {aspect.noun} {verb} {self.predicate(aspect, positive)}"

    def noun_phrase(self, positive: bool) -> str:
        aspect = self.aspect()
        return f"{self.adjective(aspect, positive)} {aspect.noun}"

    def verdict(self, positive: bool) -> str:
        return self.rng.pick(self.domain.good_verdicts if positive else self.domain.bad_verdicts)

    def filler(self) -> str:
        return self.rng.pick(self.domain.fillers if self.rng.chance(0.75) else FILLERS)

    def contrast(self, positive: bool) -> str:
        """Two opposite clauses, of which the main or the last one decides."""
        form = self.rng.pick([
            "{weak}, but {strong}", "{weak}, but {strong}", "{weak}, yet {strong}", "{weak}; however, {strong}",
            "although {weak}, {strong}", "even though {weak}, {strong}", "{strong}, although {weak}",
            "{strong}, even if {weak}", "{weak} and {weak2}, but all in all {strong}", "despite the {noun}, {strong}",
            "{strong} despite the {noun}", "{noun}, {rescue}",
        ])  # fmt: skip
        return form.format(
            weak=self.clause(not positive),
            strong=self.clause(positive),
            weak2=self.clause(not positive),
            noun=self.noun_phrase(not positive),
            rescue=self.rng.pick(RESCUED if positive else RUINED).format(self.aspect().noun),
        )

    def hearsay(self, positive: bool) -> str:
        """What others say, and whether it is so."""
        true = self.rng.chance(0.5)
        claim = self.statement(positive if true else not positive)
        return f"{self.rng.pick(SOURCES)} {claim}, {self.rng.pick(CONFIRMED if true else DENIED)}"

    def wish(self) -> str:
        """A wish, which blames with words of praise."""
        aspect = self.aspect()
        word = f"more {self.rng.pick(aspect.good)}" if self.rng.chance(0.6) else f"less {self.rng.pick(aspect.bad)}"
        return f"{self.rng.pick(['I wish', 'if only'])} the {aspect.noun} had been {word}"

    def core(self, positive: bool) -> str:
        """The sentence that carries the label."""
        kind = self.rng.weighted({"plain": 3.5, "same": 4, "contrast": 3, "hearsay": 0.3, "wish": 0.3})
        if kind == "contrast":
            return self.contrast(positive)
        if kind == "hearsay":
            return self.hearsay(positive)
        if kind == "wish" and not positive:
            return self.wish()
        if kind == "same":
            return f"{self.clause(positive)} and {self.clause(positive)}"
        return self.clause(positive)

    def review(self, positive: bool) -> str:
        """A whole review."""
        sentences = [self.core(positive)]
        if self.rng.chance(0.45):
            sentences.insert(self.rng.integer(0, 1), self.filler())
        if self.rng.chance(0.2):
            sentences.append(self.verdict(positive))
        return punctuate(self.rng, sentences)


def punctuate(rng: Rng, sentences: list[str]) -> str:
    """The sentences as somebody would type them: with capitals or without, with more or fewer marks, with slips."""
    ends = [rng.weighted({".": 7, "!": 1.5, "!!": 0.3, "...": 0.5}) for _ in sentences]
    careless = rng.chance(0.15)
    written = [(s if careless else s[0].upper() + s[1:]) + end for s, end in zip(sentences, ends, strict=True)]
    text = " ".join(written)
    if careless and rng.chance(0.5):
        text = text.rstrip(".")
    if rng.chance(0.1):
        text = text.lower()
    words = text.split(" ")
    if rng.chance(0.04):
        shouted = rng.integer(0, len(words) - 1)
        words[shouted] = words[shouted].upper()
    if rng.chance(TYPO_RATE):
        slip = rng.integer(0, len(words) - 1)
        words[slip] = misspell(rng, words[slip])
    return " ".join(words)


def misspell(rng: Rng, word: str) -> str:
    """A long word with two letters swapped, one left out or one doubled; a short word unchanged."""
    if len(word) < 6 or not word.isalpha():
        return word
    at = rng.integer(1, len(word) - 3)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return rng.pick([swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]])


def splits(rng: Rng, sizes: dict[str, int]) -> dict[str, list[tuple[str, str]]]:
    """Text and label for every split, the labels in equal parts."""
    seen: set[str] = set()
    result: dict[str, list[tuple[str, str]]] = {}
    for split, size in sizes.items():
        rows: list[tuple[str, str]] = []
        for positive, label in ((True, "positive"), (False, "negative")):

            def write(positive: bool = positive, unseen: bool = split != "train") -> str:
                return ReviewWriter(rng, rng.pick(list(DOMAINS.values())), unseen).review(positive)

            rows += [(text, label) for text in unique(write, str.lower, size // 2, seen)]
        result[split] = rng.shuffled(rows)
    return result
