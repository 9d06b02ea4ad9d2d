"""The names in the tagged sentences: people, places, organisations; some are kept for dev and test."""

FIRST_NAMES = """
Anna Peter Maria Thomas Laura Daniel Helen Martin Julia Simon Clara Oscar Nina Felix Irene Hugo Marta Victor Elena Bruno
Alice Henry Emma Walter Sophie Robert Greta Philip Rosa Edward Ingrid Samuel Yusuf Amina Kenji Mei Ravi Priya Omar Leila
""".split()
UNSEEN_FIRST_NAMES = "Agnes Leopold Beatrix Conrad Dorothea Gustav Hilda Mathilda Rupert Winifred Tariq Noriko".split()

SURNAME_STEMS = """
Hart Brad Stan Whit Ash Black Bram Cald Dun Ever Fair Gold Har Hol Kings Lang Mar Nor Old Park Rad Sel Thorn Wal
""".split()
UNSEEN_SURNAME_STEMS = "Bex Cran Dray Farn Gren Hux Lod Pem Quar Tew Wen Yar".split()
SURNAME_ENDINGS = ["well", "ley", "son", "man", "worth", "sen", "ter", "berg"]

PLACE_STEMS = """
Ald Bar Brom Cor Dar Eden Fal Glen Hal Ivy Kel Lin Mil New Oak Pen Red Rock Sand Tar Up Wex Win Wood
""".split()
UNSEEN_PLACE_STEMS = "Bux Carn Drum Elm Fen Gris Hox Lark Mere Pol Stav Yew".split()
PLACE_ENDINGS = ["ton", "ford", "ville", "mouth", "bridge", "shire", "haven", "burg"]
PLACE_FRAMES = ["{}"] * 7 + ["New {}", "Port {}", "{} Bay", "Lake {}", "{} upon Sea", "San {}"]

# These are people in one sentence, places in the next and, as "Chelsea", clubs in a third.
AMBIGUOUS = """
Washington Lincoln Jordan Florence Chelsea Sydney Austin Jackson Georgia Hamilton Victoria Lancaster Houston Wellington
Warwick Preston Paris Kent Devon Madison
""".split()
# A person's name, or a month, and as "may" or "march" neither.
MONTH_NAMES = ["April", "May", "June", "August"]

COMPANY_ENDINGS = ["Ltd", "Group", "Motors", "Bank", "Airlines", "Foods", "Energy", "Systems", "& Sons", "Steel"]
ORG_FRAMES = ["University of {place}", "Bank of {place}", "{place} City Council", "{place} Museum",
              "{place} General Hospital", "Ministry of {field}", "National Institute of {field}",
              "{place} Chamber of {field}", "Department of {field}"]  # fmt: skip
FIELDS = "Health Finance Education Transport Agriculture Commerce Defence Justice Culture Energy".split()
CLUB_ENDINGS = ["United", "City", "Rovers", "Athletic", "Wanderers"]

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December"]  # fmt: skip
