"""A fit as a JSON file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from itertools import zip_longest
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.baselines import NAMES
from napari_cellsynth.motion.autoregressive.grid import GridPoint
from napari_cellsynth.motion.autoregressive.model import MotionFit
from napari_cellsynth.motion.shake import Shared
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.provenance import provenance_block

KIND, FORMAT = "motion", 1


def as_json(fit: MotionFit) -> dict[str, Any]:
    """All of a fit, JSON-safe; docs/motion.md has the keys."""
    arrays = ("C", "B", "mean", "noise_u", "noise_v", "steps", "noise_step")
    plain = (
        *("spectral_radius", "reading", "units", "error", "window", "cells", "left_out", "frames", "frame_interval"),
        *("condition", "estimator", "persistence", "version", "steps_estimator", "step", "chance"),
    )
    return {
        "kind": KIND,
        "format": FORMAT,
        "q": fit.q,
        "d": fit.d,
        **{name: getattr(fit, name).tolist() for name in arrays},
        **{name: getattr(fit, name) for name in plain},
        "baselines": dict(fit.baselines),
        "grid": [{"q": p.q, "d": p.d, "error": p.error, "too_many": p.too_many} for p in fit.grid],
        "free_run": {name: list(errors) for name, errors in fit.free_run.items()},
        "held_out": list(fit.held_out),
        "pixel_size": None if fit.pixel_size is None else list(fit.pixel_size),
        "shape": list(fit.shape),
        "recordings": list(fit.recordings),
        "hashes": list(fit.hashes),
        "provenance": _provenance(fit),
        "shared_motion": [asdict(one) for one in fit.shared],
        "settings": dict(fit.settings),
    }


def _provenance(fit: MotionFit) -> dict[str, Any]:
    """Made of which tracks, and by which version."""
    names = zip_longest(fit.recordings, fit.hashes)
    inputs = [{"name": name, **({"hash": code} if code else {})} for name, code in names]
    block = provenance_block(made_by="motion fit", synthetic=False, settings=fit.settings, inputs=inputs)
    return {**block, "code_version": fit.version}


def fit_hash(fit: MotionFit) -> str:
    """SHA-256 of all that a fit holds; the same of one in memory and of its file."""
    return hashlib.sha256(json.dumps(as_json(fit), sort_keys=True).encode()).hexdigest()


def write_fit(fit: MotionFit, path: Path) -> Path:
    """All or nothing; BadInput where the name does not end with .json or its folder is missing."""
    with replacing(place_of_fit(path)) as temporary:
        temporary.write_text(json.dumps(as_json(fit), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def place_of_fit(path: Path) -> Path:
    """The same; BadInput where the name does not end with .json or its folder is missing."""
    if path.suffix.lower() != ".json":
        raise BadInput(f"{path} given; a fit is written as JSON: end the name with .json")
    if not path.parent.is_dir():
        raise BadInput(f"{path} given; the folder {path.parent} does not exist: create it first")
    return path


def is_fit(path: Path) -> bool:
    """Whether a file says that it is a fit, of whatever version, damaged or not."""
    try:
        block = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(block, dict) and block.get("kind") == KIND


def read_fit(path: Path) -> MotionFit:
    """BadInput where there is no such file, or it is no fit, or a damaged one."""
    try:
        block = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; give a fit that 'motion fit' wrote") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON ({error}); give a fit that 'motion fit' wrote") from None
    if not isinstance(block, dict) or block.get("kind") != KIND:
        raise BadInput(f"{path} is no fit of motion; give a file that 'motion fit' wrote")
    if block.get("format") != FORMAT:
        raise BadInput(f"{path} has the format {block.get('format')!r}; this version reads {FORMAT}: fit anew")
    try:
        return _from(block)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path} is damaged ({_said(error)}); fit the motion anew") from None


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]


def _from(block: dict[str, Any]) -> MotionFit:
    q, d = int(block["q"]), int(block["d"])
    reading, window = block["reading"], int(block["window"])
    if reading not in ("cell", "joint") or q < 1 or d < 1 or window < 1:
        raise ValueError(f"reading {reading!r}, q {q}, d {d}, window {window}")
    wide = len(block["mean"])
    alone = reading == "cell"
    if wide % 2 or (alone and wide != 2 * window):
        raise ValueError(f"mean holds {wide} numbers")
    pixel = block["pixel_size"]
    return MotionFit(
        q=q,
        d=d,
        C=_array(block, "C", (wide, q)),
        B=_array(block, "B", (d, q, q)),
        mean=_array(block, "mean", (wide,)),
        noise_u=_array(block, "noise_u", (wide,)),
        noise_v=_array(block, "noise_v", (q, q)),
        spectral_radius=_number(block["spectral_radius"]),
        reading=reading,
        grid=tuple(
            GridPoint(int(p["q"]), int(p["d"]), _number(p["error"]), bool(p["too_many"])) for p in block["grid"]
        ),
        baselines=_baselines(block["baselines"]),
        units=str(block["units"]),
        error=_number(block["error"]),
        window=window,
        cells=int(block["cells"]),
        left_out=int(block["left_out"]),
        held_out=tuple(int(n) for n in block["held_out"]),
        frames=int(block["frames"]),
        frame_interval=None if block["frame_interval"] is None else _number(block["frame_interval"]),
        pixel_size=None if pixel is None else (_number(pixel[0]), _number(pixel[1])),
        shape=(int(block["shape"][0]), int(block["shape"][1])),
        recordings=tuple(str(name) for name in block["recordings"]),
        hashes=tuple(str(code) for code in block.get("hashes", ())),
        condition=None if block["condition"] is None else str(block["condition"]),
        estimator=str(block["estimator"]),
        steps=_array(block, "steps", (window + d - 1, 2, 2) if alone else (0,)).reshape(-1, 2, 2),
        noise_step=_array(block, "noise_step", (2, 2) if alone else (0,)).reshape(-1, 2),
        # Files of earlier versions do not say either.
        steps_estimator=str(block.get("steps_estimator", "")),
        step=None if block.get("step") is None else _number(block["step"]),
        chance=None if block.get("chance") is None else _number(block["chance"]),
        persistence=_number(block["persistence"]),
        free_run={str(name): tuple(map(_number, errors)) for name, errors in block["free_run"].items()},
        # Files of earlier versions do not say it: all that cells shared was left in.
        shared=tuple(Shared(**one) for one in block.get("shared_motion", ())),
        settings=dict(block["settings"]),
        version=str(block["version"]),
    )


def _baselines(given: dict[str, Any]) -> dict[str, float]:
    """Files of earlier versions do not say how the mean drift predicts."""
    names = [name for name in NAMES if name != "mean_drift" or name in given]
    return {name: _number(given[name]) for name in names}


def _array(block: dict[str, Any], name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    values = np.asarray(block[name], dtype=np.float64)
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} of shape {values.shape}, expected finite numbers of shape {shape}")
    return values


def _number(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{value} is no number")
    return number
