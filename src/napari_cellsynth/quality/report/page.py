"""The report as a page that any browser shows, offline: sentences, figures with captions, tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from napari_cellsynth.quality.alike import AlikeCheck
from napari_cellsynth.quality.check_sheets import named, number, spread

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { font-size: 1.35em; } h2 { font-size: 1.1em; margin-top: 1.8em; }
figure { margin: 1em 0; } figure img { max-width: 100%; } figcaption { font-size: .9em; color: #555; }
table { border-collapse: collapse; font-size: .9em; } td, th { padding: .15em .8em .15em 0; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #a40000; } .warning { color: #8a5a00; } .good { color: #1a6b2f; } .quiet { color: #555; }
"""
Shown = Sequence[tuple[str, str, str]]
"""Stem of a figure's files, its title and its caption."""


def html_page(check: AlikeCheck, title: str, figures: Shown, methods: str) -> str:
    """The whole page; pictures are named by their files beside it."""
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="{check.level}"><strong>{escape(check.sentence())}</strong></p>']
    parts += [f"<p>{escape(note)}</p>" for note in dict.fromkeys([*check.notes(), *check.material.distances.warnings])]
    parts.append(f"<p>{escape(check.next_step())}</p>")
    for found in check.found:
        parts += [f"<h2>{escape(found.title)}</h2>", f'<p class="{found.level}">{escape(found.sentence)}</p>']
        parts.append(_table([(named(row), f"{number(row.value)}{spread(row)}") for row in found.rows]))
    parts += ["<h2>Figures</h2>", *(_figure(*one) for one in figures)]
    parts += ["<h2>Methods</h2>", *(f"<p>{escape(line)}</p>" for line in methods.split("\n") if line.strip())]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _table(rows: Sequence[tuple[str, str]]) -> str:
    lines = (f'<tr><td>{escape(words)}</td><td class="number">{escape(value)}</td></tr>' for words, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _figure(stem: str, title: str, caption: str) -> str:
    files = " · ".join(f'<a href="{stem}.{ending}">{ending.upper()}</a>' for ending in ("png", "svg", "csv"))
    picture = f'<img src="{stem}.png" alt="{escape(title)}">'
    words = f"<strong>{escape(title)}.</strong> {escape(caption)} {files}"
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"
