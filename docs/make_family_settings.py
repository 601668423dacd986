"""Write each family's table of settings into its page, from the config's own fields.

Run after changing a config: ``python docs/make_family_settings.py``.  The
tests fail where a page is not current.
"""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.engine.family import Family
from napari_cellsynth.models.registry import FAMILIES

PAGES = Path(__file__).parent / "families"
BEGIN, END = "<!-- settings: made by docs/make_family_settings.py -->", "<!-- end of settings -->"


def table(family: Family) -> str:
    """Markdown: setting, what it does, and its value in each preset."""
    presets = sorted(family.presets)
    head = f"| setting | {' | '.join(f'`{name}`' for name in presets)} | meaning |"
    rows = [head, "|" + " --- |" * (len(presets) + 2)]
    for name, field in family.settings.model_fields.items():
        values = " | ".join(str(getattr(family.presets[preset], name)) for preset in presets)
        rows.append(f"| `{name}` | {values} | {' '.join((field.description or '').split())} |")
    return "\n".join(rows)


def with_table(page: str, family: Family) -> str:
    """The page with its table made anew."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(family)}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    for known in FAMILIES.values():
        path = PAGES / f"{known.name}.md"
        path.write_text(with_table(path.read_text(encoding="utf-8"), known), encoding="utf-8")
