"""What lies in a Zarr store, from its JSON alone: groups, arrays and their attributes, for Zarr 2 and 3.

Arrays are opened by the zarr library, and only those whose codecs turn bytes
into numbers: a store may name one that unpickles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_cellsynth.errors import BadInput

FILES = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_MOST_JSON = 2**26
"""Bytes of a description; consolidated ones of large plates have a few megabytes."""
_V2_CODECS = (
    "adler32 astype bitround blosc bz2 crc32 crc32c delta fixedscaleoffset fletcher32 gzip jenkins_lookup3 lz4 lzma"
    " packbits pcodec quantize shuffle zfpy zlib zstd"
)
_V3_CODECS = "blosc bytes crc32c gzip sharding_indexed transpose zstd"
"""Names of codecs that turn bytes into numbers and do nothing else."""


@dataclass(frozen=True)
class Node:
    """A group or an array of a store."""

    folder: Path
    kind: Literal["group", "array"]
    attributes: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    """What ``.zarray`` or ``zarr.json`` says."""
    damage: str | None = None
    """What is wrong with the attributes, where the rest can be used."""

    @property
    def ome(self) -> dict[str, Any]:
        """The NGFF part of the attributes: since 0.5 under ``ome``, before that at the top."""
        inner = self.attributes.get("ome")
        return inner if isinstance(inner, dict) else self.attributes

    def child(self, path: Any) -> Node | None:
        """What lies at a path that the store's own description names; None where nothing does.

        BadInput for a path that leads out of the store.
        """
        parts = str(path).strip("/").split("/")
        if not parts[0] or ".." in parts or "\\" in str(path) or Path(str(path)).is_absolute():
            raise BadInput(f"{self.folder.name} names a part {str(path)[:80]!r} outside of itself; the file is damaged")
        return node_at(self.folder.joinpath(*parts))

    def children(self) -> Iterator[Node]:
        """The groups and arrays in this group, in the order of their names, numbers as numbers."""
        for folder in sorted((p for p in self.folder.iterdir() if p.is_dir()), key=_by_number):
            if not folder.name.startswith(".") and (node := node_at(folder)) is not None:
                yield node


def _by_number(path: Path) -> tuple[int, int, str]:
    return (0, int(path.name), "") if path.name.isdecimal() and path.name.isascii() else (1, 0, path.name)


def is_zarr(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES)


def node_at(folder: Path) -> Node | None:
    """The group or array of this folder, None where it is neither; BadInput where its description is damaged."""
    if (folder / "zarr.json").is_file():
        about = _json(folder / "zarr.json")
        kind = about.get("node_type")
        if kind not in ("group", "array"):
            raise BadInput(f"{folder / 'zarr.json'} names neither a group nor an array; the file is damaged")
        attributes = about.get("attributes")
        return Node(folder, kind, attributes if isinstance(attributes, dict) else {}, about)
    if (folder / ".zarray").is_file():
        about = _json(folder / ".zarray")
        return Node(folder, "array", *_attributes(folder, about))
    if (folder / ".zgroup").is_file() or (folder / ".zattrs").is_file():
        return Node(folder, "group", *_attributes(folder, {}))
    return None


def _attributes(folder: Path, about: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    path = folder / ".zattrs"
    if not path.is_file():
        return {}, about, None
    try:
        return _json(path), about, None
    except BadInput as error:
        return {}, about, str(error)


def _json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MOST_JSON:
        raise BadInput(f"{path} has {path.stat().st_size:,} bytes, too many for a description; the file is damaged")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:80]
        raise BadInput(f"{path} cannot be read as JSON ({reason}); copy it again from its source") from error
    if not isinstance(said, dict):
        raise BadInput(f"{path} holds no JSON object; copy it again from its source")
    return said


def refuse_code(node: Node) -> None:
    """BadInput for an array whose numbers come out of a pickle, or of another codec that is not known to be safe."""
    about = node.about
    if about.get("zarr_format") == 2:
        codecs = [about.get("compressor"), *(about.get("filters") or [])]
        strange = [str(c.get("id")) for c in codecs if isinstance(c, dict) and c.get("id") not in _V2_CODECS.split()]
        dtype = about.get("dtype")
        if not isinstance(dtype, str) or dtype[1:2] not in "biuf":
            raise BadInput(f"{node.folder.name} has pixels of type {str(dtype)[:60]}; expected integers or floats")
    else:
        strange = [name for name in _v3_names(about.get("codecs")) if name not in _V3_CODECS.split()]
    if strange:
        raise BadInput(
            f"{node.folder.name} is packed with {strange[0][:40]!r}, which is not read because it could run code or"
            " is not known; save it with zstd, blosc or gzip"
        )


def _v3_names(codecs: Any, depth: int = 0) -> Iterator[str]:
    """Names of codecs, those inside shards as well; ``numcodecs.zlib`` counts where ``zlib`` is safe."""
    for codec in codecs if isinstance(codecs, list) and depth < 4 else []:
        name = str(codec.get("name")) if isinstance(codec, dict) else str(codec)
        bare = name.removeprefix("numcodecs.")
        yield "bytes" if bare != name and bare in _V2_CODECS.split() else name
        inner = codec.get("configuration") if isinstance(codec, dict) else None
        if isinstance(inner, dict):
            yield from _v3_names(inner.get("codecs"), depth + 1)
            yield from _v3_names(inner.get("index_codecs"), depth + 1)
