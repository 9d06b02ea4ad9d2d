"""What the English reviews are about: kinds of things, their aspects, and the words that praise or blame each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aspect:
    """One side of a thing that a review may judge; the same adjective may praise one aspect and blame another."""

    noun: str
    plural: bool
    good: list[str]
    bad: list[str]


@dataclass(frozen=True)
class Domain:
    """A kind of thing: what people judge about it, what they say around it, and how they conclude."""

    aspects: list[Aspect]
    fillers: list[str]
    good_verdicts: list[str]
    bad_verdicts: list[str]


def aspects(table: str) -> list[Aspect]:
    """The aspects in a table of `noun | praise | blame` lines; a `+` after the noun marks a plural."""
    rows = [line.split("|") for line in table.strip().splitlines()]
    return [Aspect(n.strip().rstrip("+"), n.strip().endswith("+"), g.split(), b.split()) for n, g, b in rows]


# Ordinary adjectives take "very", strong ones take "absolutely".
GOOD = "good nice great decent pleasant impressive lovely likeable enjoyable satisfying".split()
BAD = "bad poor weak disappointing unpleasant annoying lousy mediocre frustrating sloppy".split()
STRONG_GOOD = (
    "excellent superb wonderful fantastic splendid marvellous brilliant outstanding delightful perfect".split()
)
STRONG_BAD = "terrible awful horrible dreadful appalling miserable pathetic useless disgraceful hopeless".split()

# Forms that only dev and test contain. They share a stem with a word of the training part.
UNSEEN_GOOD = [
    "excellently done", "superbly made", "wonderfully done", "fantastically made", "splendidly done",
    "marvellously made", "brilliantly done", "delightfully made", "perfectly done", "impressively made",
    "pleasantly done", "enjoyably made",
]  # fmt: skip
UNSEEN_BAD = [
    "terribly done", "awfully made", "horribly done", "dreadfully made", "appallingly done", "miserably made",
    "pathetically done", "hopelessly made", "disappointingly done", "annoyingly made", "poorly done", "sloppily made",
]  # fmt: skip

GOODS_GOOD = ["worth every penny", "I would buy it again", "highly recommended", "I am keeping it", "money well spent"]
GOODS_BAD = ["not worth the money", "I sent it back", "save your money", "I want a refund", "money badly spent"]
PLACE_GOOD = ["we will be back", "highly recommended", "worth the trip", "we would book again", "my new favourite"]
PLACE_BAD = ["we will not be back", "stay away", "not worth the trip", "never again", "I want my evening back"]
STORY_GOOD = [
    "do not miss it",
    "highly recommended",
    "worth your time",
    "I am glad I stayed with it",
    "my new favourite",
]
STORY_BAD = ["give it a miss", "not worth your time", "I want those hours back", "avoid it", "I did not finish it"]

DOMAINS = {
    "film": Domain(
        aspects("""
            plot | gripping clever surprising unpredictable fresh | predictable thin confusing messy stale
            acting | convincing natural subtle moving | wooden stiff flat unconvincing
            actors+ | convincing funny charming believable | wooden bored lifeless unconvincing
            ending | moving clever surprising satisfying | rushed predictable silly flat
            soundtrack | beautiful catchy memorable moving | loud forgettable repetitive intrusive
            jokes+ | funny fresh clever hilarious | stale cheap crude tired
            dialogue | witty sharp natural clever | clumsy stiff silly wordy
            pictures+ | beautiful stunning colourful striking | dark blurry ugly dull"""),
        ["I saw this film last night", "we watched it at home on a Sunday", "my brother chose this movie",
         "the film runs for about two hours", "it was shown at our local cinema", "the director made two films before"],
        STORY_GOOD, STORY_BAD),
    "restaurant": Domain(
        aspects("""
            food | delicious tasty fresh authentic | bland greasy cold tasteless
            soup | hot tasty fresh delicious | cold salty watery bland
            beer | cold fresh crisp | warm flat stale
            waiters+ | friendly attentive polite quick | rude slow careless unfriendly
            portions+ | generous big filling | tiny small stingy
            prices+ | fair reasonable low | high steep unreasonable
            dessert | delicious light creamy fresh | dry heavy stale sickly
            atmosphere | cosy warm relaxed charming | noisy cold hectic gloomy"""),
        ["we went there on a Tuesday", "we were a table of six", "it was my wife's birthday", "we booked a week ahead",
         "the restaurant is next to the old station", "I ordered the fish and she had the pasta"],
        PLACE_GOOD, PLACE_BAD),
    "hotel": Domain(
        aspects("""
            room | spacious clean quiet comfortable | cramped dirty noisy damp
            rooms+ | spacious clean bright comfortable | cramped dirty dark shabby
            bed | comfortable big soft clean | hard narrow lumpy creaky
            breakfast | generous fresh varied delicious | meagre stale cold bland
            staff | friendly helpful polite attentive | rude unhelpful slow unfriendly
            bathroom | spotless clean modern spacious | dirty mouldy cramped smelly
            view | stunning beautiful breathtaking | dreary ugly depressing
            location | convenient quiet central ideal | remote noisy inconvenient"""),
        ["we stayed for three nights", "I was there on business", "we arrived late in the evening",
         "our room was on the second floor", "the hotel has about forty rooms", "we travelled with two children"],
        PLACE_GOOD, PLACE_BAD),
    "phone": Domain(
        aspects("""
            battery | reliable durable strong long-lasting | weak unreliable feeble short-lived
            screen | bright sharp clear responsive | dim blurry scratched unresponsive
            camera | sharp quick reliable clear | blurry slow grainy unreliable
            design | elegant slim light stylish | bulky heavy ugly clumsy
            sound | clear rich loud crisp | tinny muffled quiet distorted
            software | smooth fast intuitive stable | buggy slow clumsy unstable
            buttons+ | sturdy responsive handy | loose stiff flimsy
            charger | fast sturdy handy | slow flimsy noisy"""),
        ["I bought this phone in March", "I have had it for two months", "it replaced my old phone",
         "I use it mostly for work", "it arrived on a Monday", "I got the blue one"],
        GOODS_GOOD, GOODS_BAD),
    "book": Domain(
        aspects("""
            story | gripping moving original unpredictable | dull predictable confusing tedious
            characters+ | believable lively complex likeable | flat shallow unconvincing lifeless
            style | elegant lively clear witty | clumsy dry pompous wordy
            chapters+ | short lively gripping clear | long dull confusing repetitive
            first half | gripping quick funny lively | slow dull tedious repetitive
            translation | elegant natural smooth careful | clumsy stiff careless awkward
            illustrations+ | beautiful colourful charming detailed | crude dull ugly blurry
            humour | dry witty subtle gentle | crude forced cheap tired"""),
        ["I read this novel on the train", "my sister gave it to me", "our book club picked it in May",
         "the book has about three hundred pages", "it is set in a small harbour town",
         "I borrowed it from the library"],
        STORY_GOOD, STORY_BAD),
    "headphones": Domain(
        aspects("""
            sound | rich clear balanced warm | tinny muffled harsh distorted
            cushions+ | soft comfortable durable | hard sweaty scratchy
            cable | long sturdy flexible | short flimsy tangled
            bass | deep rich powerful | weak boomy hollow
            fit | comfortable snug secure light | tight loose uncomfortable
            microphone | clear sensitive reliable | noisy unreliable crackly
            instructions+ | clear short helpful | confusing vague unhelpful
            case | sturdy handy compact | flimsy bulky clumsy"""),
        ["I wear these headphones on the bus", "I ordered them two weeks ago", "they came in a plain box",
         "I use them for calls and music", "my old pair lasted six years", "I have tried them with three devices"],
        GOODS_GOOD, GOODS_BAD),
    "museum": Domain(
        aspects("""
            exhibition | fascinating varied original informative | dull chaotic boring small
            guide | funny knowledgeable patient clear | boring impatient rude inaudible
            audio tour | informative clear lively | tedious confusing long-winded
            cafe | cosy cheap charming | crowded expensive gloomy
            garden | peaceful beautiful shady | neglected bare crowded
            tickets+ | cheap affordable fair | expensive overpriced unreasonable
            labels+ | clear readable informative | tiny vague unreadable
            queue | short quick orderly | long slow chaotic"""),
        ["we spent an afternoon there", "the museum opens at ten", "it rained all day", "our class went there in June",
         "there are three floors", "we took the tram to get there"],
        PLACE_GOOD, PLACE_BAD),
    "app": Domain(
        aspects("""
            interface | clean intuitive simple elegant | cluttered confusing ugly clumsy
            updates+ | frequent useful quick | rare pointless slow
            adverts+ | rare discreet short | intrusive constant loud
            search | fast accurate reliable | slow useless inaccurate
            support | quick helpful friendly patient | slow unhelpful rude clueless
            maps+ | accurate detailed clear | outdated inaccurate blurry
            login | simple quick secure | slow broken tedious
            notifications+ | useful discreet timely | constant pointless intrusive"""),
        ["I installed the app last week", "I use it on a tablet", "a colleague told me about it",
         "version four came out in April", "I pay for the yearly plan", "it takes up little space"],
        GOODS_GOOD, GOODS_BAD),
}  # fmt: skip
