"""The use cases, for scripts, the shell and napari alike.

Long work is a generator of events; short work returns what it made.  torch
is loaded only inside what needs it.
"""

from napari_cellsynth.api.checks import check_outlines
from napari_cellsynth.api.comparing import check_alike, compare
from napari_cellsynth.api.data import training_data
from napari_cellsynth.api.elsewhere import pack, pack_new
from napari_cellsynth.api.embeddings import check_reconstruction, embed
from napari_cellsynth.api.estimates import estimate, known_estimate
from napari_cellsynth.api.folders import RUNS, TRAINING_SETS, home, home_is_chosen, keep_home
from napari_cellsynth.api.jobs import add_place, list_jobs, list_runs, places, remove_place
from napari_cellsynth.api.models import Model, open_model, sample, walk
from napari_cellsynth.api.motions import compare_motion, fit_motion, simulate_motion
from napari_cellsynth.api.reports import as_script, check, how_made, support_bundle
from napari_cellsynth.api.runs import create_run, train
from napari_cellsynth.api.segmenting import segment_with
from napari_cellsynth.api.sets import find_traps, prepare_clips, prepare_crops, prepare_pairs, prepare_traps, segment
from napari_cellsynth.api.settings import Preset, presets, resolve_settings
from napari_cellsynth.api.simulating import simulate
from napari_cellsynth.api.telling import tell, told
from napari_cellsynth.api.tracking import read_tracks, track
from napari_cellsynth.api.useful import check_useful

__all__ = [
    "RUNS",
    "TRAINING_SETS",
    "Model",
    "Preset",
    "add_place",
    "as_script",
    "check",
    "check_alike",
    "check_outlines",
    "check_reconstruction",
    "check_useful",
    "compare",
    "compare_motion",
    "create_run",
    "embed",
    "estimate",
    "find_traps",
    "fit_motion",
    "home",
    "home_is_chosen",
    "how_made",
    "keep_home",
    "known_estimate",
    "list_jobs",
    "list_runs",
    "open_model",
    "pack",
    "pack_new",
    "places",
    "prepare_clips",
    "prepare_crops",
    "prepare_pairs",
    "prepare_traps",
    "presets",
    "read_tracks",
    "remove_place",
    "resolve_settings",
    "sample",
    "segment",
    "segment_with",
    "simulate",
    "simulate_motion",
    "support_bundle",
    "tell",
    "told",
    "track",
    "train",
    "training_data",
    "walk",
]
