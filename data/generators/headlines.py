"""Short news texts with their headlines: who did what, where.

The headline is not a piece of the text: it is in the present tense, drops articles and dates, names people by their
office and writes numbers in figures. The sentence that matters may stand behind one that sets the scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generators import names, number_words
from generators.rng import Rng, unique

Row = tuple[str, str]
Values = dict[str, str]

PLACES = """
Alderton Barford Bromley Corville Darmouth Edenbridge Falham Glenford Halston Kelburg Linfield Milbridge Newhaven Oakham
Penwick Redcliff Rockford Sandville Tarmouth Upton Wexford Winfield Woodbury Ashbourne Stanmore Harwich Marlow Elmstead
""".split()
FIRST_NAMES = "Anna Peter Maria Thomas Laura Daniel Helen Martin Julia Simon Clara Oscar Nina Felix Irene Hugo".split()
SURNAMES = """
Hartwell Bradley Stanworth Whitman Ashby Blackwood Calder Dunmore Everson Fairley Goldman Harland Holden Kingsley
Langford Marston Norwell Parkins Radley Selby Thornton Walden
""".split()
COMPANIES = ["Norwell Motors", "Selby Foods", "Calder Energy", "Radley Systems", "Fairley Steel", "Harland Airlines",
             "Marston Media", "Holden Bank", "Walden Textiles", "Thornton Chemicals"]  # fmt: skip
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "March", "May", "July", "September", "November"]


ONSETS = "B Br C Cl D Dr F G Gl H K L M N P R S St T Tr V W".split()
CODAS = "l n r rn ld nd ck sk st m x".split()
STEMS = [onset + vowel + coda for onset in ONSETS for vowel in "aeiou" for coda in CODAS]


@dataclass(frozen=True)
class Names:
    """What people, places and companies are called: in half of the texts as above, else what comes of stems.

    There are so many of the others that most come once.
    """

    stems: Sequence[str]
    first_names: Sequence[str]
    only_new: bool = False

    def place(self, rng: Rng) -> str:
        """A place."""
        return rng.pick(PLACES) if self._is_known(rng) else rng.pick(self.stems) + rng.pick(names.PLACE_ENDINGS)

    def surname(self, rng: Rng) -> str:
        """What a family is called."""
        return rng.pick(SURNAMES) if self._is_known(rng) else rng.pick(self.stems) + rng.pick(names.SURNAME_ENDINGS)

    def company(self, rng: Rng) -> str:
        """A company, mostly called after a family."""
        if self._is_known(rng):
            return rng.pick(COMPANIES)
        return f"{rng.pick(self.stems)}{rng.pick(names.SURNAME_ENDINGS)} {rng.pick(names.COMPANY_ENDINGS)}"

    def _is_known(self, rng: Rng) -> bool:
        return not self.only_new and rng.chance(0.5)


NEW_STEMS = [stem for stem in STEMS[::7] if not any(name.startswith(stem) for name in PLACES + SURNAMES)]
USUAL = Names([stem for at, stem in enumerate(STEMS) if at % 7], FIRST_NAMES)
NEW = Names(NEW_STEMS, names.UNSEEN_FIRST_NAMES, only_new=True)


@dataclass(frozen=True)
class Event:
    """A kind of news: ways to tell it, its headline, what else there is to say, and the values of its own slots.

    A value `long = short` gives `{x}` in the text and `{x_short}` in the headline.
    """

    leads: list[str]
    headline: str
    details: list[str]
    slots: dict[str, list[str]]


EVENTS = [
    Event(
        ["The council of {place} voted on {day} to {plan}.",
         "After a debate of {few} hours, councillors in {place} decided on {day} to {plan}."],
        "{place} council votes to {plan_short}",
        ["The work is expected to cost {number2} million euros.", "Residents had asked for the step for years.",
         "The mayor, {person}, said it was a good day for the town.", "Critics say the money is needed elsewhere."],
        {"plan": ["build a new bridge over the river = build new bridge",
                  "close the old swimming pool = close old pool",
                  "ban cars from the centre of the town = ban cars from centre",
                  "plant {number} trees = plant {figure} trees", "sell the former town hall = sell former town hall",
                  "double the number of buses = double buses", "raise the tax on second homes = raise second home tax",
                  "repair the harbour wall = repair harbour wall",
                  "move the weekly market to the park = move market to park",
                  "open a second library = open second library"]}),
    Event(
        ["A fire broke out in a {building} in {place} on {day} night, and {number} people were injured.",
         "{Number} people were injured when a {building} in {place} caught fire on {day}."],
        "{figure} hurt in {place} {building} fire",
        ["The cause is not yet known.", "Firefighters needed {few} hours to put out the flames.",
         "Smoke could be seen as far away as {place2}.", "Police have closed the street."],
        {"building": ["factory", "hotel", "school", "warehouse", "bakery", "theatre", "hospital", "furniture shop"]}),
    Event(
        ["{company} said on {day} that it would cut {number} jobs in {place}.",
         "{Number} workers at the {place} plant of {company} will lose their jobs, the company announced on {day}."],
        "{company} to cut {figure} jobs in {place}",
        ["The company blamed weak demand.", "Unions called the plan a disgrace.",
         "Its offices in {place2} are not affected.", "The chairman, {person}, spoke of a hard decision."],
        {}),
    Event(
        ["{company} is going to open a new {site} in {place}, where {number} people will find work.",
         "A new {site} that {company} plans to build in {place} will employ {number} people."],
        "{company} to open {site} in {place}",
        ["Building is to begin in {month}.", "The company had also looked at {place2}.",
         "The council welcomed the news.", "Neighbours fear more traffic."],
        {"site": ["factory", "research centre", "warehouse", "call centre", "training school", "laboratory"]}),
    Event(
        ["{place} beat {place2} {score} on {day} in front of {number2} hundred spectators.",
         "Two late goals on {day} gave {place} a {score} win over {place2}.",
         "{place2} lost {score} to {place} on {day} after a weak second half."],
        "{place} beat {place2} {score}",
        ["The first goal came after {number2} minutes.", "For {place} it was the {nth} win in a row.",
         "The coach of {place}, {person}, thanked the players.", "The return match will be played in {month}."],
        {"score": ["1-0", "2-0", "2-1", "3-0", "3-1", "3-2", "4-1", "4-2"],
         "nth": ["second", "third", "fourth", "fifth", "sixth"]}),
    Event(
        ["Police in {place} have arrested a man of {number2} who is said to have stolen {thing}.",
         "A man suspected of stealing {thing} was arrested in {place} on {day}, police said."],
        "{place} police arrest man over stolen {thing_short}",
        ["He was found in a hotel in {place2}.", "A neighbour had called the police.", "He denies everything.",
         "The trial will begin in {month}."],
        {"thing": ["{number} bicycles = bicycles", "a famous painting = painting", "a fishing boat = fishing boat",
                   "a van full of cheese = cheese", "{number} mobile phones = phones",
                   "the bell of a church = church bell", "a collection of rare stamps = stamps",
                   "a racing horse = horse"]}),
    Event(
        ["{weather} on {day} left {number} hundred homes in {place} without electricity.",
         "In {place} {number} hundred homes had no electricity on {day} after {weather_lower}."],
        "{weather_short} leaves {figure}00 {place} homes without power",
        ["Trains to {place2} were cancelled.", "Engineers hope to repair the lines within {few} days.",
         "Nobody was injured.", "Schools will stay closed until {day2}."],
        {"weather": ["A heavy storm = Storm", "A flood = Flood", "Heavy snow = Snow", "A thunderstorm = Thunderstorm",
                     "A whirlwind = Whirlwind", "A landslide = Landslide"]}),
    Event(
        ["{person}, a {job} from {place}, has won the {prize}.",
         "The {prize} goes to {person}, a {job} who lives in {place}, the jury said on {day}."],
        "{place} {job} wins {prize}",
        ["The prize is worth {number2} thousand euros.", "The jury praised {surname} for courage and clarity.",
         "It will be handed over in {place2} in {month}.", "Last year nobody received it."],
        {"job": ["writer", "teacher", "chemist", "pianist", "photographer", "architect", "gardener", "poet", "baker"],
         "prize": ["Golden Quill", "Northern Science Prize", "Harbour Award", "Young Talent Prize", "Silver Compass",
                   "Culture Medal"]}),
    Event(
        ["{person}, the {office} of {place}, resigned on {day} after {scandal}.",
         "After {scandal} the {office} of {place}, {person}, gave up the post on {day}."],
        "{place} {office} resigns over {scandal_short}",
        ["A successor will be elected in {month}.", "{surname} had held the post for {few} years.",
         "The opposition had asked for this step.", "Many in {place2} were surprised."],
        {"office": ["mayor", "police chief", "school director", "fire chief", "treasurer"],
         "scandal": ["questions about a holiday paid by a builder = holiday", "reports of a secret loan = secret loan",
                     "a quarrel about the budget = budget", "errors in the tax papers = tax errors",
                     "a letter that was never answered = letter", "months of late trains = late trains"]}),
    Event(
        ["Firefighters in {place} have saved {animal} that had been trapped in {spot} for {few} hours.",
         "{Animal} was freed from {spot} in {place} on {day} after {few} hours."],
        "{animal_short} rescued from {spot_short} in {place}",
        ["The animal was tired but well.", "A vet from {place2} looked after it.", "A child had heard the noise.",
         "The owner, {person}, thanked the crew with a cake."],
        {"animal": ["a young horse = Horse", "a cat = Cat", "a swan = Swan", "a small dog = Dog", "a cow = Cow",
                    "an owl = Owl", "a deer = Deer"],
         "spot": ["an empty well = well", "an old quarry = quarry", "a deep ditch = ditch",
                  "a drain under the road = drain", "the ruins of a mill = mill"]}),
    Event(
        ["{workers} in {place} went on strike on {day} because of {issue}.",
         "Because of {issue}, {workers_lower} in {place} stopped work on {day}."],
        "{place} {workers_short} strike over {issue_short}",
        ["They will be back at work on {day2}.", "Talks in {place2} had failed.",
         "The union speaks for {number2} hundred people.", "{person} of the union said there was no other way."],
        {"workers": ["Bus drivers = bus drivers", "Teachers = teachers", "Nurses at the hospital = nurses",
                     "Dock workers = dockers", "Cleaners = cleaners", "Railway staff = rail staff"],
         "issue": ["low wages = pay", "long working hours = hours", "unsafe machines = safety",
                   "planned job cuts = job cuts", "smaller pensions = pensions"]}),
    Event(
        ["Researchers at the University of {place} have discovered a new kind of {creature} in {region}.",
         "A kind of {creature} that nobody knew before has been found in {region}, the University of {place} said."],
        "{place} scientists find new {creature} in {region_short}",
        ["It weighs only {number2} grams.",
         "The team, led by {person}, had been looking for it for {few} years.",
         "The first picture was taken in {month}.", "How it lives is still unknown."],
        {"creature": ["beetle", "frog", "orchid", "spider", "bat", "fish", "moth", "fern"],
         "region": ["the forests of Borneo = Borneo", "a cave in the Alps = Alps cave", "the deep sea = deep sea",
                    "the hills of Peru = Peru", "a lake in Kenya = Kenyan lake"]}),
    Event(
        ["A lorry loaded with {cargo} overturned on {day} on the road from {place} to {place2}.",
         "The road from {place} to {place2} was blocked on {day} when a lorry lost its load of {cargo}."],
        "{cargo_short} lorry accident blocks {place} road",
        ["The driver was not injured.", "It took {few} hours to clear the road.", "Cars had to turn back.",
         "Police are looking for witnesses."],
        {"cargo": ["fresh milk = Milk", "wooden planks = Timber", "live chickens = Chicken",
                   "garden furniture = Furniture", "ripe tomatoes = Tomato", "bottled beer = Beer"]}),
    Event(
        ["In {place} the price of {ticket} will go up by {number} per cent in {month}.",
         "From {month} on people in {place} will have to pay {number} per cent more for {ticket}."],
        "{place} {ticket_short} prices to rise {figure}%",
        ["The last rise was {few} years ago.", "Prices in {place2} stay as they are.",
         "A spokesman pointed to higher costs.", "Passengers and parents are angry, said {person}."],
        {"ticket": ["bus tickets = bus", "drinking water = water", "school meals = school meal", "parking = parking",
                    "electricity = power", "museum tickets = museum"]}),
    Event(
        ["{person} was elected mayor of {place} on {day} with {number} per cent of the vote.",
         "The voters of {place} chose {person} as their new mayor on {day}."],
        "{surname} elected mayor of {place}",
        ["The new mayor wants to lower taxes.", "The other candidate came from {place2}.",
         "The polling stations were open until six.", "The old mayor had resigned in {month}."],
        {}),
]  # fmt: skip

SCENES = ["It had been a quiet week in {place}.", "{place} is in the news again.",
          "Not much happens in {place} in {month}.", "The people of {place} have something to talk about."]  # fmt: skip


def common_values(rng: Rng, called: Names) -> Values:
    """The values of the slots that every event may use."""
    place, place2 = called.place(rng), called.place(rng)
    while place2 == place:
        place2 = called.place(rng)
    day, day2 = rng.pick_two(WEEKDAYS)
    surname, number = called.surname(rng), rng.integer(11, 60)
    word = number_words.english(number)
    number2 = rng.integer(11, 60)
    return {
        "place": place, "place2": place2, "day": day, "day2": day2, "month": rng.pick(MONTHS), "surname": surname,
        "person": f"{rng.pick(called.first_names)} {surname}", "company": called.company(rng), "number": word,
        "Number": word.capitalize(), "figure": str(number), "number2": number_words.english(number2),
        "few": number_words.english(rng.integer(2, 9)),
    }  # fmt: skip


def draw_values(rng: Rng, event: Event, called: Names) -> Values:
    """The values of all slots of one text: `x`, and where the event has its own, `x_short`, `x_lower`, `X`."""
    values = common_values(rng, called)
    for slot, choices in event.slots.items():
        long, _, short = rng.pick(choices).format(**values).partition(" = ")
        values[slot] = long
        values[f"{slot}_short"] = short or long
        values[f"{slot}_lower"] = long[0].lower() + long[1:]
        values[slot.capitalize()] = long[0].upper() + long[1:]
    return values


def story(rng: Rng, called: Names) -> Row:
    """A text of two or three sentences with its headline."""
    event = rng.pick(EVENTS)
    values = draw_values(rng, event, called)
    details = rng.pick_two(event.details)
    sentences = [rng.pick(event.leads)]
    if rng.chance(0.2):
        sentences = [rng.pick(SCENES), sentences[0], details[0]]
    else:
        sentences += details if rng.chance(0.6) else details[:1]
    return " ".join(sentences).format(**values), event.headline.format(**values)


def splits(rng: Rng, sizes: dict[str, int], called: Names = USUAL) -> dict[str, list[Row]]:
    """Text and headline for every split; no text comes twice."""
    seen: set[str] = set()
    return {
        split: unique(lambda: story(rng, called), lambda row: row[0].lower(), size, seen)
        for split, size in sizes.items()
    }
