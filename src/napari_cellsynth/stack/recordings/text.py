"""A pasted spreadsheet, or a CSV file of any habit, as lines of cells."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from napari_cellsynth.errors import BadInput

LONGEST = 50_000_000
"""Bytes above which a file is no table of recordings."""


def read_text(path: Path) -> str:
    """The text of a CSV file: UTF-8, what Excel calls Unicode (UTF-16), or the Windows code page of western Europe."""
    if path.suffix.lower() in (".xls", ".xlsx", ".ods", ".numbers"):
        raise BadInput(f"{path.name} is a spreadsheet; save it as CSV, or copy its cells and paste them")
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; give the table itself, a CSV file with a line for each recording")
        if path.stat().st_size > LONGEST:
            raise BadInput(f"{path.name} has {path.stat().st_size / 1e6:.0f} MB; expected a table as CSV")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; give a CSV file with a line for each recording") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror or error})") from error
    return decoded(raw, path.name)


def decoded(raw: bytes, name: str) -> str:
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp1252"]:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BadInput(f"{name} is no text; expected a table as CSV (in Excel: Save as, CSV UTF-8)")


def lines_of(text: str) -> list[tuple[int, list[str]]]:
    """The lines that hold something, each with its number as a spreadsheet counts (from 1), as cells without spaces.

    Cells are parted by tabs, semicolons or commas, whichever the first line
    has outside quotes.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    if first.strip().strip('"').casefold().startswith("sep=") and len(first.strip().strip('"')) == 5:
        part, text, skipped = first.strip().strip('"')[-1], rest, 1
    else:
        part, skipped = delimiter_of(text), 0
    try:
        cells = list(csv.reader(io.StringIO(text), delimiter=part, skipinitialspace=part != "\t", strict=True))
    except csv.Error as error:
        raise BadInput(f"the table cannot be read ({error}); look for a quotation mark that has no partner") from None
    numbered = [(n, [cell.strip() for cell in line]) for n, line in enumerate(cells, start=1 + skipped)]
    return [(n, line) for n, line in numbered if any(line)]


def delimiter_of(text: str) -> str:
    """Tab, semicolon or comma, by the first line that holds something."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    quoted = False
    bare = []
    for letter in head:
        quoted ^= letter == '"'
        if not quoted:
            bare.append(letter)
    counts = {mark: bare.count(mark) for mark in "\t;,"}
    return "\t" if counts["\t"] else ";" if counts[";"] else ","


def written(lines: Sequence[Sequence[str]]) -> str:
    """The same as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()
