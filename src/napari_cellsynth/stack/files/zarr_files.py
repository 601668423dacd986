"""Open a Zarr store: OME-Zarr, plates and their wells, groups of several images, and plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files import ngff
from napari_cellsynth.stack.files.colours import Colours, seen
from napari_cellsynth.stack.files.description import (
    FileDescription,
    Scene,
    described,
    listed,
    refuse_dtype,
    scene_notes,
    scene_number,
)
from napari_cellsynth.stack.files.metadata import Metadata
from napari_cellsynth.stack.files.planes import Planes
from napari_cellsynth.stack.files.zarr_nodes import Node, node_at
from napari_cellsynth.stack.files.zarr_planes import ZarrPlanes, open_zarr_planes

_DEEPEST = 2
"""Groups inside groups that are looked through for images where nothing says where they are."""


@dataclass(frozen=True)
class Image:
    """An image in a store: a multiscale, or an array that nobody described."""

    name: str
    node: Node
    """The group with the description, or the array itself."""
    multiscale: ngff.Multiscale | None = None

    def arrays(self) -> list[Node]:
        """Its resolutions, the finest first; BadInput where that is not there."""
        if self.multiscale is None:
            return [self.node]
        found = [self.node.child(path) for path in self.multiscale.datasets]
        if found[0] is None or found[0].kind != "array":
            raise BadInput(
                f"{self.node.folder.name} names its full resolution {self.multiscale.datasets[0]!r}, which is not"
                " there; copy it again from its source"
            )
        return [node for node in found if node is not None and node.kind == "array"]

    def shape(self) -> tuple[int, ...]:
        """As its description has it; nothing is opened."""
        try:
            shape = self.arrays()[0].about.get("shape")
        except BadInput:
            return (1, 1)
        return tuple(shape) if isinstance(shape, list) and len(shape) > 1 and _whole(shape) else (1, 1)


def _whole(shape: Sequence[Any]) -> bool:
    return all(isinstance(n, int) and n > 0 for n in shape)


def open_zarr(path: Path, scene: Scene, *, colours: Colours = "equal") -> tuple[FileDescription, Planes]:
    """Description and pixels of a store; BadInput where it cannot be read."""
    try:
        return _open(path, scene, colours)
    except (BadInput, OSError):
        raise
    except Exception as error:  # a description may hold anything
        reason = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise BadInput(f"{path.name} cannot be read as Zarr ({reason})") from error


def _open(path: Path, scene: Scene, colours: Colours) -> tuple[FileDescription, Planes]:
    node = node_at(path)
    if node is None:
        raise BadInput(f"{path.name} holds no Zarr group or array (no zarr.json, .zgroup or .zarray); is it complete?")
    images = images_in(node)
    if not images:
        raise BadInput(f"{path.name} is a Zarr group without images; {_what_instead(node)}")
    names = [image.name for image in images]
    number = scene_number(scene, names, path, [image.shape() for image in images])
    image = images[number]
    planes = ZarrPlanes(image.arrays()[0], path.name)
    refuse_dtype(path, planes.dtype)
    if planes.ndim < 2:
        raise BadInput(f"{path.name} has shape {planes.shape}; expected an image of two axes or more")
    planes.check()
    letters, said = _letters_and_metadata(image, planes)
    labels = _labels_beside(image)
    notes = [*_damage(node, image), *said.notes, *planes.notes, *scene_notes(names, number)]
    notes += [f"outlines lie in the file: {listed([str(p) for p in labels])}"] if labels else []
    shown = seen(planes, letters, path.name, colours)
    about = described(
        path,
        shown,
        said,
        notes=notes,
        scenes=tuple(names) if len(names) > 1 else (),
        scene=number,
        kind="labels" if "image-label" in image.node.ome else "image",
        labels=tuple(labels),
    )
    return about, shown.planes


def open_levels(path: Path, scene: Scene) -> tuple[str, list[ZarrPlanes]]:
    """Axes and pixels of every resolution of an image, the finest first; those that cannot be read are left out."""
    node = node_at(path)
    images = images_in(node) if node is not None else []
    if not images:
        return "", []
    image = images[scene_number(scene, [i.name for i in images], path, [i.shape() for i in images])]
    found: list[ZarrPlanes] = []
    for array in image.arrays():
        try:
            planes = open_zarr_planes(array.folder, path.name)
        except BadInput:
            continue
        # Finer to coarser in Y and X, the same in all else: what a viewer can show.
        if not found or (planes.ndim == found[0].ndim and prod(planes.shape) < prod(found[-1].shape)):
            found.append(planes)
    return image.multiscale.letters if image.multiscale else "", found


def images_in(node: Node) -> list[Image]:
    """The images of a node in their order; BadInput for a plate, with its wells named."""
    if node.kind == "array":
        return [Image(node.folder.name, node)]
    ome = node.ome
    if "plate" in ome:
        raise BadInput(_about_plate(node))
    if isinstance(ome.get("well"), dict):
        return _of_paths(node, [str(one.get("path")) for one in ngff.dicts(ome["well"].get("images"))])
    described_here = [Image(one.name or node.folder.name, node, one) for one in ngff.multiscales(node)]
    if described_here:
        return _distinct(described_here)
    if ngff.texts(ome.get("labels")):
        return _of_paths(node, ngff.texts(ome["labels"]))
    if "bioformats2raw.layout" in ome:
        return _of_paths(node, _series(node), _series_names(node))
    return _distinct(list(_found_inside(node, 1)))


def _of_paths(node: Node, paths: Sequence[str], names: Sequence[str] = ()) -> list[Image]:
    """Images at paths that the group names; their names are their own, else those of the paths."""
    found = []
    for i, path in enumerate(paths):
        child = node.child(path)
        if child is None:
            continue
        for image in images_in(child)[:1]:
            given = names[i] if i < len(names) and names[i] else ""
            own = image.multiscale.name if image.multiscale else ""
            found.append(replace(image, name=given or own or path))
    return _distinct(found)


def _series(node: Node) -> list[str]:
    """Paths of the images that bioformats2raw wrote: as OME/ lists them, else 0, 1, 2 and so on."""
    inner = node.child("OME")
    listed_there = ngff.texts(inner.ome.get("series")) if inner is not None else []
    return listed_there or [child.folder.name for child in node.children() if child.folder.name.isdecimal()]


def _series_names(node: Node) -> list[str]:
    """Names of the images in bioformats2raw's OME-XML, where it is there and can be read."""
    try:
        root = ElementTree.parse(node.folder / "OME" / "METADATA.ome.xml").getroot()
    except (OSError, ElementTree.ParseError):
        return []
    return [one.get("Name") or "" for one in root.iter() if one.tag.rpartition("}")[2] == "Image"]


def _found_inside(node: Node, depth: int) -> list[Image]:
    """Images and arrays of a group that says nothing of itself."""
    found = []
    for child in node.children():
        if child.kind == "array":
            if len(child.about.get("shape") or ()) > 1:
                found.append(Image(child.folder.name, child))
        elif child.ome.get("multiscales"):
            found += [replace(i, name=child.folder.name) for i in images_in(child)[:1]]
        elif depth < _DEEPEST:
            found += [replace(i, name=f"{child.folder.name}/{i.name}") for i in _found_inside(child, depth + 1)]
    return found


def _distinct(images: list[Image]) -> list[Image]:
    """The same with names that occur once: a number is put behind those that do not."""
    names = [image.name for image in images]
    return [
        image if names.count(image.name) == 1 else replace(image, name=f"{image.name} {i}")
        for i, image in enumerate(images)
    ]


def _about_plate(node: Node) -> str:
    plate = node.ome["plate"]
    wells = [str(one.get("path")) for one in ngff.dicts(plate.get("wells") if isinstance(plate, dict) else None)]
    there = [str(node.folder / path) for path in wells if ".." not in path and (node.folder / path).is_dir()]
    advice = f"give one of its wells: {listed(there, 4)}" if there else "none of its wells is there"
    return f"{node.folder.name} is a plate of {len(wells)} wells, each a recording of its own; {advice}"


def _what_instead(node: Node) -> str:
    inner = [child.folder.name for child in node.children()]
    return f"give one of the groups in it ({listed(inner, 4)})" if inner else "it is empty: copy it again"


def _letters_and_metadata(image: Image, planes: ZarrPlanes) -> tuple[str, Metadata]:
    if image.multiscale is not None and len(image.multiscale.letters) == planes.ndim:
        return image.multiscale.letters, image.multiscale.said
    (array, *_) = image.arrays()
    letters = ngff.array_letters(array, planes.shape)
    if image.multiscale is None:
        return letters, ngff.array_metadata(array, letters)
    note = "the axes that the file names do not fit its shape: taken as not known"
    return letters, replace(image.multiscale.said, pixel_size=None, z_step=None, frame_interval=None, notes=(note,))


def _damage(node: Node, image: Image) -> list[str]:
    said = dict.fromkeys(one.damage for one in (node, image.node) if one.damage)
    return [f"{damage}: axes, scale and names may be missing" for damage in said]


def _labels_beside(image: Image) -> list[Path]:
    """Outlines that an image carries in its group ``labels``."""
    if image.multiscale is None:
        return []
    inner = image.node.child("labels")
    if inner is None or inner.kind != "group":
        return []
    names = [name for name in ngff.texts(inner.ome.get("labels")) if ".." not in name]
    return [inner.folder / name for name in names if (inner.folder / name).is_dir()]
