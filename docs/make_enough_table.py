"""Write the learning curves behind "Enough?" into the page on training sets.

Run after measuring anew (``benchmarks/enough.py``, whose JSON lies in
``stack/enough.json``): ``python docs/make_enough_table.py``.  The tests fail
where the page is not current.
"""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.stack.enough import Curve, curves, needed_for_a_look, needed_for_a_result, setting

PAGE = Path(__file__).parent / "training_sets.md"
BEGIN, END = "<!-- curves: made by docs/make_enough_table.py -->", "<!-- end of curves -->"


def table(curve: Curve) -> str:
    """Markdown: a row for each number of cells."""
    rows = [f"| {curve.name}: cells | seeds | samples | copies | real |", "| --- | --- | --- | --- | --- |"]
    for point in curve.points:
        spread = f" ± {point.spread:.1f}" if point.seeds > 1 else ""
        numbers = f"{point.samples:.1f}{spread} | {point.copies:.1f} | {curve.floor:.1f}"
        rows.append(f"| {point.cells} | {point.seeds} | {numbers} |")
    return "\n".join(rows)


def text() -> str:
    """The tables and what follows from them."""
    result = needed_for_a_result()
    beyond = (
        f"Beyond {result} cells neither samples nor copies came nearer by more than seeds differ (or a tenth): that "
        f"many different cells are called enough for a result, fewer for a look."
        if result is not None
        else "More cells still helped at the end of every curve: nothing measured is called enough for a result."
    )
    few = f"Fewer than {needed_for_a_look()}, which is the fewest we tried, are too few."
    steps = f"Each model was trained for {setting()['steps']:,} steps."
    return "\n\n".join([*(table(curve) for curve in curves()), f"{beyond} {few} {steps}"])


def with_text(page: str) -> str:
    """The page with its curves made anew."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{text()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_text(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
