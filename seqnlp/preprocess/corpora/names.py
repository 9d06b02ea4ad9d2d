"""Names: what people call the columns and fields of a corpus, and which one is meant."""

from __future__ import annotations

import collections
import functools
import re
from collections.abc import Mapping, Sequence

USUAL: Mapping[str, str] = {
    "text": "text sentence review comment tweet post content message body utterance query question document "
    "description review_text review_body comment_text tweet_text sentence_text full_text text_a",
    "label": "label class category sentiment intent polarity topic labels classes categories target emotion genre "
    "rating stars gold label_text class_label class_name category_name label_name",
    "tokens": "tokens words token word forms",
    "tags": "tags ner_tags pos_tags tag labels ner pos upos bio iob",
    "source": "source src source_text source_sentence original input article document text",
    "target": "target tgt target_text target_sentence translation reference output summary headline compressed "
    "highlights",
    "document": "document article text abstract source source_text original content body story input passage dialogue",
    "summary": "summary highlights headline title target target_text compressed compression tldr",
    "value": "value values y",
    "time": "time ds date datetime timestamp second minute hour day week month quarter year period step",
    "id": "id unique_id series series_id item_id ts_id",
}  # a role's own name first

LANGUAGES = frozenset(
    "ar bg bn ca cs da de el en es et eu fa fi fr ga gl he hi hr hu id it ja ka ko lt lv nl pl pt ro ru sk sl sr sv sw "
    "ta te th tr uk ur vi zh arabic chinese czech dutch english finnish french german greek hindi italian japanese "
    "korean polish portuguese romanian russian spanish swedish turkish ukrainian vietnamese".split()
)  # that columns of translations are often called after
EVERY = frozenset(name for known in USUAL.values() for name in known.split())


def plain(name: str) -> str:
    """Return a name as it is compared: without case, with _ for whatever parts its words."""
    return re.sub(r"[\W_]+", "_", name.strip().casefold()).strip("_")


def usual(role: str, names: Sequence[str]) -> list[int]:
    """Return which of the names may be the one of a role; only the role's own, where it is there."""
    plainly, known = list(map(plain, names)), _known(role)
    same = [place for place, name in enumerate(plainly) if name == role]
    return same or [place for place, name in enumerate(plainly) if name in known]


@functools.cache
def _known(role: str) -> frozenset[str]:
    return frozenset(USUAL.get(role, role).split())


def place(name: str, names: Sequence[str]) -> int | None:
    """Return where a name stands among others, in any case if nowhere as it is; None where it does not."""
    if name in names:
        return names.index(name)
    found = [number for number, other in enumerate(names) if plain(other) == plain(name)]
    return found[0] if len(found) == 1 and plain(name) else None


def twice(names: Sequence[str]) -> str | None:
    """Return a name that stands there twice, None if there is none."""
    counts = collections.Counter(name.strip() for name in names if name.strip())
    return next((name for name, count in counts.items() if count > 1), None)
