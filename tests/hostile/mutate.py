"""One good file in, one broken file out: the ways in which disks, networks and people break files."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

NASTY = (0x00, 0x01, 0x7F, 0x80, 0xFF)


def mutate(good: Path, bad: Path, seed: int) -> str:
    """Write mutant ``seed`` of ``good`` (a file or a folder) to ``bad``; says what was done."""
    draw = random.Random(seed)
    if good.is_dir():
        shutil.copytree(good, bad)
        inside = sorted(p for p in bad.rglob("*") if p.is_file())
        # What describes the rest is broken as often as the many files of pixels.
        about = [p for p in inside if p.name in ("zarr.json", ".zattrs", ".zgroup", ".zarray")]
        victim = draw.choice(about if draw.random() < 0.6 else inside)
        if draw.random() < 0.1:
            victim.unlink()
            return f"{victim.name} removed"
    else:
        shutil.copyfile(good, bad)
        victim = bad
    raw, what = _broken(victim.read_bytes(), draw)
    victim.write_bytes(raw)
    return f"{victim.name}: {what}"


def _broken(raw: bytes, draw: random.Random) -> tuple[bytes, str]:
    ways = [_cut, _zeroed, _bits, _bits, _nasty_bytes, _nasty_bytes, _moved, _numbers, _grown]
    way = draw.choice(ways)
    return way(bytearray(raw), draw), way.__name__.strip("_")


def _cut(raw: bytearray, draw: random.Random) -> bytes:
    return bytes(raw[: draw.randrange(len(raw))])


def _zeroed(raw: bytearray, draw: random.Random) -> bytes:
    """A block that never reached the disk."""
    start, length = draw.randrange(len(raw)), draw.choice((4, 64, 512, 4096))
    raw[start : start + length] = bytes(len(raw[start : start + length]))
    return bytes(raw)


def _bits(raw: bytearray, draw: random.Random) -> bytes:
    for _ in range(draw.choice((1, 1, 2, 8, 32))):
        raw[_place(raw, draw)] ^= 1 << draw.randrange(8)
    return bytes(raw)


def _nasty_bytes(raw: bytearray, draw: random.Random) -> bytes:
    """Numbers at the ends of their range: sizes, counts and offsets above all."""
    width = draw.choice((1, 2, 4, 8))
    place = _place(raw, draw)
    raw[place : place + width] = bytes([draw.choice(NASTY)]) * len(raw[place : place + width])
    return bytes(raw)


def _moved(raw: bytearray, draw: random.Random) -> bytes:
    """Bytes lost or doubled in the middle."""
    place, length = draw.randrange(len(raw)), draw.choice((1, 3, 16, 256))
    piece = raw[place : place + length]
    return bytes(raw[:place] + (piece * 2 if draw.random() < 0.5 else b"") + raw[place + length :])


def _numbers(raw: bytearray, draw: random.Random) -> bytes:
    """A number in text (XML, JSON, CSV) becomes another one."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(raw)))
    if not found:
        return _bits(raw, draw)
    hit = draw.choice(found)
    new = draw.choice((b"0", b"-1", b"1e999", b"NaN", b"99999999999", b"2147483648", b"null", b'"a"', b"0.5"))
    return bytes(raw[: hit.start()] + new + raw[hit.end() :])


def _grown(raw: bytearray, draw: random.Random) -> bytes:
    return bytes(raw) + draw.randbytes(draw.choice((1, 100, 10_000)))


def _place(raw: bytearray, draw: random.Random) -> int:
    """Anywhere, but every second time near the beginning or the end, where headers are."""
    n = len(raw)
    return draw.choice((draw.randrange(n), draw.randrange(min(n, 512)), n - 1 - draw.randrange(min(n, 512))))
