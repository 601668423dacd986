"""What is looked at when made images are compared with real ones: distance, variety, nearness to training images."""

from __future__ import annotations

from math import isfinite

import numpy as np

from napari_cellsynth.quality.alike import Found, Level, Material, Pairs, Row, Section
from napari_cellsynth.quality.closeness import FEW, pooled, versions
from napari_cellsynth.quality.difference_section import SECTION as WHAT_DIFFERS
from napari_cellsynth.quality.distance_sections import distance, distance_to_a_network, met, section_of
from napari_cellsynth.stack.numbers_in_words import counted

VARIED, ALL_ALIKE = 0.7, 0.3
"""Variety from which made images differ as cells do; and below which they are the same few."""
COPIED, ALL_COPIED = 0.85, 0.6
"""Nearness below which images are suspected to be copies, and below which they are; as the health of a training has
it (docs/health.md says how the numbers were found)."""
SAME = 1e-3
"""Distance (0 to 2) below which a made image is the training image itself, but for its brightness or contrast."""
FURTHER = 1.1
"""Nearness above which images are further from training ones than held-out ones are, and not about as far."""
SHARED = 0.25
"""Share of held-out cells learned from at other times above which being as near as they are says nothing of copies."""
FLAT, MOSTLY = 0.05, 0.5
"""Contrast, in units of what is usual for training images, below which an image is flat; and the share of flat ones
above which that is said, and neither that they are alike nor that they are copies."""
PAIRS = 16
"""Pairs that are kept to look at."""


def variety(material: Material) -> Found:
    """How different made images are from each other, 1 as cells are."""
    title, blank = "Variety", flat(material)
    if blank.mean() > MOSTLY:
        told = f"{int(blank.sum()):,} of {len(blank):,} made cells are flat images, which show next to nothing."
        return Found("variety", title, "bad", told, "flat images")
    value = material.closeness.variety(material.made)
    if not isfinite(value):
        few = "Too few different cells to say how various they are."
        return Found("variety", title, "quiet", few, "variety unknown")
    rows = (Row("made", "made cells", value), Row("real", "different real cells", 1.0))
    share = f"{value:.1f} of real"
    if value >= VARIED:
        return Found("variety", title, "good", f"They differ among each other as cells do ({share}).", "various", rows)
    same = "the same few again and again" if value < ALL_ALIKE else "less various than cells"
    level: Level = "bad" if value < ALL_ALIKE else "warning"
    return Found("variety", title, level, f"Made cells are {same}: variety {share}.", same, rows)


def copies(material: Material) -> Found:
    """How near made images are to training images, unseen ones being 1, with the nearest to look at."""
    closeness, title = material.closeness, "Copies?"
    blank = flat(material)
    if blank.mean() > MOSTLY:
        told = "Most made cells are flat images: there is nothing in them that could be a copy."
        return Found("copies", title, "quiet", told, "copies cannot be told")
    usual = closeness.of_held_out
    if not isfinite(usual):
        few = f"Fewer than {FEW} held-out crops: nobody can say whether made ones are copies."
        pairs = (_pairs(material, material.made, "made", 1.0),)
        return Found("copies", title, "quiet", few, "copies not told", pairs=pairs)
    value = closeness.nearest(material.made[~blank])
    own = _pairs(material, material.made, "made", usual)
    control = _pairs(material, material.unseen, "held-out", usual)
    rows = (
        Row("made", "made cells", value),
        Row("real", "held-out crops", 1.0),
        Row("nearest_made", "nearest made cell", float(own.ratios[0])),
        Row("nearest_real", "nearest held-out crop", float(control.ratios[0])),
    )
    if value >= COPIED and (same := int((closeness.nearest_training(material.made)[1] < SAME).sum())):
        told = f"{same:,} of {len(material.made):,} made cells are training crops themselves, others are not. Look at"
        words = f"{counted(same, 'training crop')} among them"
        return Found("copies", title, "warning", f"{told} the pairs.", words, rows, (own, control))
    both, all_of_them = material.learned_from, len(set(material.unseen_cells.tolist()))
    near = "Further" if value > FURTHER else "About as far"
    near += f" from training crops {'than' if value > FURTHER else 'as'} held-out ones are ({value:.2f}; held-out: 1)"
    if value >= COPIED and both > SHARED * all_of_them:
        of_them = "all" if both == all_of_them else f"{both:,} of the"
        told = (
            f"{near}, but {of_them} {counted(all_of_them, 'held-out cell')} were learned from, at other times: whether"
            " they are copies cannot be said. Look at the pairs."
        )
        return Found("copies", title, "quiet", told, "copies cannot be told", rows, (own, control))
    if value >= COPIED and not (material.parted and material.learned == "here"):
        told = f"{near}, but what the model learned from is not known: it may copy others."
        return Found("copies", title, "quiet", told, "copies cannot be told", rows, (own, control))
    if value >= COPIED:
        words = "no copies of training cells"
        told = f"They are {words}: no nearer to them than held-out crops are ({value:.2f}; held-out: 1)."
        return Found("copies", title, "good", told, words, rows, (own, control))
    level: Level = "bad" if value < ALL_COPIED else "warning"
    words = "copies of training cells" if value < ALL_COPIED else "suspiciously near to training cells"
    told = f"Made cells are {words}: {value:.2f} times as far from them as held-out crops are. Look at the pairs."
    return Found("copies", title, level, told, words, rows, (own, control))


def flat(material: Material) -> np.ndarray:
    """(N,) bool: which made images have next to no contrast."""
    usual = float(np.median(material.training.std((1, 2), dtype=np.float64)))
    return np.asarray(material.made.std((1, 2), dtype=np.float64) <= FLAT * usual)


def _pairs(material: Material, images: np.ndarray, name: str, usual: float) -> Pairs:
    """The images that are nearest to a training image, the nearest first, each with that one."""
    places, distances = material.closeness.nearest_training(images)
    order = np.argsort(distances, kind="stable")[:PAIRS]
    theirs = [_as_seen(material.training[places[i]], images[i], material.turned) for i in order]
    return Pairs(f"{name} | nearest training cell", images[order], np.stack(theirs), distances[order] / usual)


def _as_seen(training: np.ndarray, image: np.ndarray, turned: bool) -> np.ndarray:
    """A training image, turned or mirrored as it is most like the other, where training may have done so."""
    if not turned:
        return training
    wanted = pooled(image[None])[0].ravel()
    wanted = wanted - wanted.mean()
    ways = [version[0] for version in versions(training[None])]
    small = [pooled(way[None])[0].ravel() for way in ways]
    alike = [float(wanted @ (one - one.mean())) for one in small]
    return np.ascontiguousarray(ways[int(np.argmax(alike))])


SECTIONS: tuple[Section, ...] = (
    Section("distance", "Distance to held-out crops", distance, measured=True),
    Section("distance_network", "Distance, to a small network", distance_to_a_network, measured=True),
    Section("met", "Each like a real one, and all real ones met?", met, measured=True),
    WHAT_DIFFERS,
    Section("variety", "Variety", variety),
    Section("copies", "Copies?", copies),
)
"""In the order in which they are shown."""


def sections_of(material: Material) -> tuple[Section, ...]:
    """Those, and one for each further space, after the other distances."""
    return (*SECTIONS[:2], *(section_of(space) for space in material.further), *SECTIONS[2:])
