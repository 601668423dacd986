"""What to do next, after made cells were compared with real ones: one sentence, by the gravest that was found."""

from __future__ import annotations

from napari_cellsynth.quality.alike import FEW_CELLS, FEW_IMAGES, AlikeCheck
from napari_cellsynth.quality.differences import MEDIUM
from napari_cellsynth.quality.measures import in_words

FAR = ("distance", "distance_network", "met", "differences")
"""Sections that say that made cells are unlike real ones, whatever the reason."""


def next_step(check: AlikeCheck) -> str:
    """``Next: look at the pairs; …``"""
    m = check.material
    wrong = {one.code for one in check.found if one.level in ("bad", "warning")}
    if m.learned == "elsewhere" and wrong:
        return "Next: compare them with the training set that their model learned from, to see whether it learned that."
    if "variety" in wrong:
        return (
            "Next: look at them side by side. A model whose cells are flat or the same few seldom recovers: train anew,"
            " with the recommended settings or on more different cells."
        )
    if "copies" in wrong:
        return "Next: look at the pairs. If they are copies, train on more different cells, or for fewer steps."
    if wrong:
        return (
            f"Next: look at random ones beside real ones (the report shows them), each pixel large{_where(check)}. Then"
            " look in Train whether they were still getting better: if so, train longer, if not, use other settings."
        )
    if len(m.made) < FEW_IMAGES:
        return f"Next: make at least {FEW_IMAGES} cells, better as many as there are held-out ones."
    if m.few:
        return (
            f"Next: hold out more, at least {FEW_IMAGES} crops of {FEW_CELLS} different cells: another movie, or a"
            " longer part of this one."
        )
    return "Next: let people look who know such cells (Can you tell?), and open the test part last of all."


def _where(check: AlikeCheck) -> str:
    """What differs most, where to look."""
    most = check.material.differences[0]
    if not (most.differs and most.beyond_real and abs(most.delta.value) >= MEDIUM):
        return ""
    side = max(check.material.made.shape[1:])
    more = "more" if most.delta.value > 0 else "less"
    grid = ", such as a grid or grain" if more == "more" and most.name in ("spectrum 7", "spectrum 8") else ""
    return f": they differ most in {in_words(most.name, side)} ({more}{grid})"
