"""The shipped weights, checked against the hash in their recipe."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.quality.encoder.network import Encoder

WEIGHTS, RECIPE = "weights.safetensors", "recipe.json"
SHIPPED = Path(__file__).parent


def hash_of(path: Path) -> str:
    """sha256 of a file, as hexadecimal digits."""
    digest = sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def recipe(folder: Path = SHIPPED) -> dict[str, Any]:
    """How the weights came about: settings, versions, hash, losses."""
    try:
        return dict(json.loads((folder / RECIPE).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise BadInput(f"the encoder's recipe {folder / RECIPE} cannot be read; install the package again") from error


@lru_cache(maxsize=2)
def encoder(folder: Path = SHIPPED) -> Encoder:
    """The trained network, on the CPU, in float32.

    Raises BadInput where the weights are not those that the recipe names.
    """
    from safetensors.torch import load_file

    from napari_cellsynth.quality.encoder.network import Encoder
    from napari_cellsynth.quality.encoder.settings import EncoderSettings

    about, path = recipe(folder), folder / WEIGHTS
    if not path.is_file() or hash_of(path) != about.get("sha256"):
        raise BadInput(f"{path} is not the file that its recipe names (sha256); install the package again")
    settings = EncoderSettings.model_validate(about["settings"])
    network = Encoder(settings.widths, settings.features)
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network.eval().requires_grad_(False)
