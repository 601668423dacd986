"""How far made images are from held-out ones in each feature space, and whether either are met by the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

from napari_cellsynth.quality.alike import Found, Level, Material, Row, Section
from napari_cellsynth.quality.check_sheets import number
from napari_cellsynth.quality.distances import InSpace
from napari_cellsynth.quality.features import ENCODER, MEASURES, FeatureSpace
from napari_cellsynth.stack.enough import capital
from napari_cellsynth.stack.numbers_in_words import counted

FRECHET, KID = "Fréchet", "KID"
"""Columns."""
WORDS = {
    "made": ("made cells", "Made cells to held-out crops."),
    "across": (
        "training crops",
        "As many training crops to the same held-out crops: what a model would get that drew real cells.",
    ),
    "excess": (
        "made cells less training crops",
        "Both drawn again together. Where the interval holds 0, what was not found may be as large as its upper end.",
    ),
    "halves": (
        "halves of training crops",
        "One random half of the training crops to the other: what is left where both are of the same day and cells.",
    ),
    "free": ("mean image with noise", "The mean training crop with noise, which costs nothing, to held-out crops."),
}
"""Of the lines: what they are, and what they mean."""
SHARES = {
    "precision": ("like a real one", "Precision: share of cells that lie among held-out crops."),
    "coverage": ("real ones met", "Coverage: share of held-out crops that have such a cell in their neighbourhood."),
    "density": (
        "how amid real ones",
        "Density: in how many neighbourhoods of held-out crops a cell lies, 1 as real ones, about.",
    ),
    "recall": ("real ones within reach", "Recall: share of held-out crops that lie among such cells."),
}
BRIEF = ("precision", "coverage")
"""Shares that are shown where there is little room."""
FEW_FOR_FRECHET = 50
"""Different training or held-out cells below which it is KID that says how far made cells are: the Frechet distance
of as many training crops is as large as that of a model that copies them."""
MUCH = 3.0
"""Times the upper end for real ones at which the lower end for made ones is much further."""
HALF = 0.5
"""Of a share of real cells, below which it is grave."""


def distance(material: Material) -> Found:
    """In hand-made measures."""
    by = " by size, brightness, texture and spectrum"
    found = in_one_space(material, MEASURES, "distance", "Distance to held-out crops", by, "")
    return replace(found, cautions=material.distances.warnings)


def distance_to_a_network(material: Material) -> Found:
    """In the features of the encoder that ships with the package."""
    by = " to a small network that saw simulated cells only"
    return in_one_space(material, ENCODER, "distance_network", "Distance, to a small network", by, " to a network")


def in_one_space(material: Material, space: FeatureSpace, code: str, title: str, by: str, shortly: str) -> Found:
    """Both distances in a feature space, with floors; ``by`` and ``shortly`` end what is said of them."""
    found = material.distances[space.name]
    rows = []
    for name, (words, tip) in WORDS.items():
        for column, beside in ((FRECHET, found.frechet), (KID, found.kid)):
            one = getattr(beside, name)
            more = name == "excess"
            rows.append(Row(f"{name}_{column_code(column)}", words, one.value, one.low, one.high, column, tip, more))
    level, words, beside_it = _how_far(found, _few(material))
    if level == "good":
        beside_it = f", as far as {_held_out(material)} can tell"
    sentence = f"Made cells are {words},{by}{beside_it}."
    if level == "quiet":
        sentence = "Nobody can say how sure the distance is: all crops of one side show a single cell."
    return Found(code, title, level, sentence, words + shortly, tuple(rows))


def section_of(space: FeatureSpace) -> Section:
    """Of a further space, such as one from a file of the user's own."""
    code, title, by = f"distance_{space.name}", f"Distance, by {space.title}", f" by {space.title}"

    def look(material: Material) -> Found:
        return in_one_space(material, space, code, title, by, f" by {space.name}")

    return Section(code, title, look, measured=True)


def _few(material: Material) -> bool:
    """Whether cells are so few that the Frechet distance, which counts their crops one by one, misleads."""
    cells = (material.training_cells, material.unseen_cells)
    return min(len(set(one.tolist())) for one in cells) < FEW_FOR_FRECHET


def _held_out(material: Material) -> str:
    """How many cells the verdict stands on."""
    if material.few_of == "made":
        return counted(len(material.made), "made cell")
    if not material.parted:
        return counted(len(material.unseen), "crop")
    return counted(len(set(material.unseen_cells.tolist())), "cell")


def column_code(column: str) -> str:
    """The name of a column for files."""
    return column.lower().replace("é", "e")


def _how_far(found: InSpace, few: bool) -> tuple[Level, str, str]:
    """How grave it is, in words, and what the ceiling is."""
    frechet, kid = found.frechet, found.kid
    if frechet.made.value >= frechet.free.value:
        return "bad", "no nearer to held-out crops than the mean image with noise, which costs nothing", ""
    if not (isfinite(frechet.excess.low) or isfinite(kid.excess.low)):
        return "quiet", "how sure the distance is unknown", ""
    if not (frechet.excess.low > 0 or kid.excess.low > 0):
        return "good", "no further from held-out crops than real ones are", ""
    by_kid = kid.excess.low > 0 and (few or not frechet.excess.low > 0)
    one, name = (kid, KID) if by_kid else (frechet, FRECHET)
    # Never how many times as far: a floor near 0 makes any number of it, and another with other numbers of images.
    beside = f": {name} {number(one.made.value)}, real ones {number(one.across.value)}"
    much = "much " if one.made.low > MUCH * max(one.across.high, 0.0) else ""
    words = f"{much}further from held-out crops than real ones are"
    return "warning", words, f"{beside}, their mean image with noise {number(one.free.value)}"


def met(material: Material) -> Found:
    """Precision, recall, density and coverage, beside those of training crops."""
    title = "Each like a real one, and all real ones met?"
    found = material.distances[SHARES_IN.name]
    made, control = found.made, found.control
    if not isfinite(made.precision.low):
        few = "Too few different cells to say whether made ones lie among real ones."
        return Found("met", title, "quiet", few, "neighbourhoods unknown")
    rows = []
    for name, (words, tip) in SHARES.items():
        for column, shares in (("made", made), ("training", control)):
            one = getattr(shares, name)
            rows.append(Row(f"{name}_{column}", words, one.value, one.low, one.high, column, tip, name not in BRIEF))
    level, words, sentence = _how_met(found)
    return Found("met", title, level, sentence, words, tuple(rows))


SHARES_IN = MEASURES
"""The space in which neighbourhoods are looked at."""


def _how_met(found: InSpace) -> tuple[Level, str, str]:
    said: list[tuple[Level, str, str]] = []
    for name in ("precision", "coverage"):
        ours, theirs = getattr(found.made, name), getattr(found.control, name)
        if ours.high < theirs.low:
            level: Level = "bad" if ours.value < HALF * theirs.value else "warning"
            # Where few lie among real ones, few real ones are met: that does not say that kinds are missing.
            words = "real cells missing" if not said else ""
            if name == "precision":
                words = f"{_percent(ours.value)} lie among real ones (of training crops {_percent(theirs.value)})"
            said.append((level, words, _PLAINLY[name](ours.value, theirs.value)))
    if not said:
        words = "among real ones, and all kinds"
        return "good", words, "Made cells lie among held-out crops, and these among them, as training crops do."
    gravest: Level = "bad" if any(level == "bad" for level, _, _ in said) else "warning"
    return gravest, "; ".join(words for _, words, _ in said if words), " ".join(sentence for _, _, sentence in said)


_PLAINLY: dict[str, Callable[[float, float], str]] = {
    "precision": lambda ours, theirs: capital(
        f"{_percent(ours)} of made cells lie among held-out crops, by their measures; of training crops"
        f" {_percent(theirs)}."
    ),
    "coverage": lambda ours, theirs: (
        f"Made cells come near {_percent(ours)} of the held-out crops; as many training crops {_percent(theirs)}."
    ),
}


def _percent(share: float) -> str:
    return "fewer than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
