"""A paragraph for the methods section of a paper, with the numbers that this comparison was made with."""

from __future__ import annotations

from napari_cellsynth import __version__
from napari_cellsynth.quality.alike import AlikeCheck
from napari_cellsynth.quality.differences import PICKS
from napari_cellsynth.quality.distance_sections import SHARES_IN
from napari_cellsynth.quality.features import LINEAR
from napari_cellsynth.quality.neighbours import DC_NEIGHBOURS, PR_NEIGHBOURS

CITED = (
    "Dowson and Landau 1982, J. Multivariate Analysis 12:450; Heusel et al. 2017, arXiv:1706.08500 (Fréchet distance)",
    "Ledoit and Wolf 2004, J. Multivariate Analysis 88:365 (shrunk covariances)",
    "Bińkowski et al. 2018, arXiv:1801.01401 (kernel distance)",
    "Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision and recall)",
    "Naeem et al. 2020, arXiv:2002.09797 (density and coverage)",
    "Cliff 1993, Psychol. Bull. 114:494; Mann and Whitney 1947; Holm 1979 (effect size and tests)",
    "Rüger 1978, Metrika 25:171 (twice the median p; of the mean: Rüschendorf 1982, Meng 1994)",
)
DISTANCES = (
    "Features were standardised by the training crops; beyond"
    f" {LINEAR:g} standard deviations z, {LINEAR:g} (1 + ln(|z| / {LINEAR:g})) with the sign of z was taken."
    " The Fréchet distance is the squared one between normal distributions with covariances shrunk after Ledoit and"
    " Wolf; the kernel distance is the unbiased squared maximum mean discrepancy with a cubic polynomial kernel, pairs"
    " of crops of one cell left out. Both are reported beside that of as many training crops to the same crops, of two"
    " random halves of the training crops, and of the mean training crop with matched Gaussian noise. Intervals hold"
    " 95 % of drawings in which real crops were drawn again cell by cell and generated images one by one."
)
SHARES = (
    f"Precision and recall (k = {PR_NEIGHBOURS}) and density and coverage (k = {DC_NEIGHBOURS}) were taken in the space"
    f" {SHARES_IN.name}, with images of other cells as neighbours."
)
MEASURES = (
    "Hand-made measures were compared one by one with Cliff's delta and two-sided Mann-Whitney tests, one random crop"
    f" of each cell at a time so that n counts cells; where cells had several crops this was done {PICKS} times, and"
    " twice the median p (at most 1) was taken. p was corrected for all measures after Holm."
)
HELD_OUT = {
    "here": "that the model had not seen",
    "elsewhere": "held out in a training set that is not the one the model learned from",
    "unknown": "held out in a training set, whether or not the model had seen them",
}
PANELS = "Panels show images chosen at random with the seed given in their captions, all at one contrast."


def methods(check: AlikeCheck) -> str:
    """The paragraph, and what it cites."""
    m, block = check.material, check.provenance
    cells = len(set(m.unseen_cells.tolist()))
    height, width = m.made.shape[1:]
    size = f"{height} x {width} pixels"
    if m.pixel_size is not None:
        size += f" of {m.pixel_size[0]:.3g} x {m.pixel_size[1]:.3g} \u00b5m"
    real = (
        f"{len(m.unseen):,} real crops of {cells:,} cells {HELD_OUT[m.learned]}"
        if m.parted
        else f"{len(m.unseen):,} real crops (a random half of those given; the other half was the yardstick)"
    )
    compared = (
        f"{len(m.made):,} generated images ({_origin(block)}) were compared with {real}, each of {size}, with"
        f" napari-cellsynth {__version__} (seed {m.seed})."
    )
    said = [compared, _spaces(check), DISTANCES, SHARES, MEASURES, PANELS]
    if m.learned_from:
        said.append(f"{m.learned_from:,} of the {cells:,} cells were also in the training part, at other times.")
    return " ".join(said) + "\n\nCited:\n" + "\n".join(f"- {one}" for one in CITED) + "\n"


def _origin(block: dict[str, object]) -> str:
    if block.get("run"):
        weights = str(block.get("weights_hash", ""))[:12]
        return f"model {block['run']}, weights {weights}"
    made = block.get("made")
    return str(made.get("name") or made.get("path")) if isinstance(made, dict) else "of unknown origin"


def _spaces(check: AlikeCheck) -> str:
    spaces = check.material.distances.spaces
    named = "; ".join(f"{one.space}: {one.words.rstrip('.')} ({one.count} images of each set)" for one in spaces)
    return f"Distances were taken in {len(spaces)} feature space{'s' if len(spaces) > 1 else ''} ({named})."
