"""Features of an Inception network, from a file of the user's own; nothing is ever downloaded.

Many papers report distances of Inception features.  They were learned on
photographs of everyday things, and numbers of two different files, or sizes
of sets, do not compare; so the file and its hash stand beside every number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.encoder.load import hash_of
from napari_cellsynth.quality.features import AT_ONCE, FeatureSpace, Taking, resized

SIDE = 299
"""Pixels along a side of what the network is given."""
ENDS = (0.1, 99.9)
"""Percentiles of the reference's pixels that become 0 and 255."""


def inception_space(file: Path) -> FeatureSpace:
    """The feature space of a TorchScript module that gives (N, K) for images (N, 3, 299, 299) from 0 to 255.

    Images become grey in three channels, one brightness and contrast for the
    whole set.  Where the module can be asked for ``return_features=True``, as
    NVIDIA's conversion of the original weights, it is.

    Raises BadInput for a file that is not there or is no such module.
    """
    file = Path(file)
    try:
        code = hash_of(file)
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}); give a TorchScript file of an Inception") from error
    # Opened and asked now: minutes later would be late, and a test part would have been opened for nothing.
    network = _opened(file)
    _features(network, np.zeros((2, SIDE, SIDE)), file)
    label = f"Inception (your file {file.name}, sha256 {code[:12]}…)"

    def prepare(reference: np.ndarray) -> Taking:
        low, high = np.percentile(reference, ENDS)
        scale = 255 / max(float(high - low), 1e-12)

        def take(images: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
            return np.concatenate([
                _features(network, (resized(images[start : start + AT_ONCE], SIDE) - low) * scale, file)
                for start in range(0, len(images), AT_ONCE)
            ])  # fmt: skip

        return take

    words = f"{label}: features of a network that was trained on photographs; comparable only with this very file."
    return FeatureSpace("inception", label, words, prepare)


def _opened(file: Path) -> object:
    import torch

    try:
        return torch.jit.load(str(file), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise BadInput(f"{file.name} is no TorchScript module; save the network with torch.jit.save") from error


def _features(network: object, images: np.ndarray, file: Path) -> np.ndarray:
    """(N, K) of images (N, S, S) in 0 … 255."""
    import torch

    given = torch.from_numpy(np.float32(images.clip(0, 255)))[:, None].repeat(1, 3, 1, 1)
    with torch.inference_mode():
        try:
            out = network(given, return_features=True)  # type: ignore[operator]
        except (RuntimeError, TypeError):
            out = _plain(network, given, file)
    if not isinstance(out, torch.Tensor) or out.ndim != 2 or len(out) != len(images):
        shape = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
        raise BadInput(f"{file.name} gives {shape} for {len(images)} images; expected a row of features for each")
    return np.asarray(out.double().numpy())


def _plain(network: object, given: object, file: Path) -> object:
    try:
        return network(given)  # type: ignore[operator]
    except (RuntimeError, TypeError) as error:
        last = str(error).strip().splitlines()[-1]
        raise BadInput(f"{file.name} does not take images (N, 3, {SIDE}, {SIDE}): {last}") from error
