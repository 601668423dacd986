"""Small images in one layer of ours that is written over in place: examples, previews, the frames of a morph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.gui.beside import right_of_everything
from napari_cellsynth.gui.facts import Facts
from napari_cellsynth.gui.layers import add, contrast, same

if TYPE_CHECKING:
    import napari


class PreviewLayer:
    """A contact sheet of small images in one layer of ours, written over in place.

    It stands to the right of what is there, keeps the contrast that the user
    gives it, and comes back where the user deleted it.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        name: str,
        *,
        pixel_size: tuple[float, float] | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        self.viewer, self.name = viewer, name
        self.pixel_size, self.provenance = pixel_size, provenance
        self.layer: Any = None
        self._limits: tuple[float, float] | None = None

    @property
    def there(self) -> bool:
        return self.layer is not None and any(same(self.layer, layer) for layer in self.viewer.layers)

    def show(
        self, images: np.ndarray, beside: np.ndarray | None = None, *, limits: tuple[float, float] | None = None
    ) -> Any:
        """Show (N, Y, X), or two such blocks side by side; returns the layer.

        The contrast is that of ``images`` (the real ones, where real and made
        stand side by side), or ``limits``.
        """
        sheet = contact_sheet(images) if beside is None else side_by_side(images, beside)
        limits = limits or contrast(images)
        if not self.there:
            self._add(sheet, limits)
        elif sheet.shape == self.layer.data.shape and sheet.dtype == self.layer.data.dtype:
            self.layer.data[...] = sheet
            self.layer.refresh()
        else:
            self.layer.data = sheet
        self._set_contrast(limits)
        return self.layer

    def reveal(self) -> None:
        """Bring all layers into sight, this one chosen."""
        if self.there:
            self.layer.visible = True
            self.viewer.layers.selection = {self.layer}
            self.viewer.reset_view()

    def remove(self) -> None:
        if self.there:
            self.viewer.layers.remove(self.layer)
        self.layer = None

    def _add(self, sheet: np.ndarray, limits: tuple[float, float]) -> None:
        facts = Facts(axes="YX", pixel_size=self.pixel_size, provenance={**(self.provenance or {}), "preview": True})
        attributes = facts.attributes(2)
        x = right_of_everything(self.viewer)
        self.layer = add(
            self.viewer,
            sheet.copy(),
            {"name": self.name, **attributes, "translate": (0.0, x), "contrast_limits": limits},
            "image",
        )
        self._limits = limits

    def _set_contrast(self, limits: tuple[float, float]) -> None:
        touched = self._limits is None or tuple(self.layer.contrast_limits) != self._limits
        if not touched and limits != self._limits:
            self.layer.contrast_limits_range = (
                min(limits[0], self.layer.contrast_limits_range[0]),
                max(limits[1], self.layer.contrast_limits_range[1]),
            )
            self.layer.contrast_limits = limits
            self._limits = tuple(self.layer.contrast_limits)


def contact_sheet(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """(N, Y, X) as one image (rows * Y, columns * X), nearly square unless told otherwise; empty places are dark."""
    count, height, width = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width), images.min(), images.dtype)
    sheet[:count] = images
    return sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two contact sheets of the same number of rows, half an image apart."""
    columns = int(np.ceil(np.sqrt(max(len(left), len(right)))))
    sheets = [contact_sheet(block, columns) for block in (left, right.astype(left.dtype, copy=False))]
    height = max(sheet.shape[0] for sheet in sheets)
    low = left.min()
    padded = [np.pad(s, ((0, height - s.shape[0]), (0, 0)), constant_values=low) for s in sheets]
    gap = np.full((height, left.shape[-1] // 2), low, left.dtype)
    return np.concatenate([padded[0], gap, padded[1]], axis=1)
