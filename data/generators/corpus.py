"""Plain lines in English and Chinese, out of the training parts of the other corpora."""

from generators.rng import Rng, unique


def lines(rng: Rng, sources: dict[str, list[str]], counts: dict[str, int]) -> list[str]:
    """As many different lines of each source as `counts` says, all of them in one random order."""
    seen: set[str] = set()
    chosen: list[str] = []
    for name, count in counts.items():
        remaining = iter(rng.shuffled(sources[name]))
        chosen += unique(lambda remaining=remaining: next(remaining), str, count, seen)  # type: ignore[misc]
    return rng.shuffled(chosen)
