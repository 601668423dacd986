"""What a form shows is what it reads back, for every preset of every family."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.models.registry import FAMILIES

pytestmark = pytest.mark.gui


class Inner(BaseModel):
    rate: float = 1e-7
    """How fast."""


class Odd(BaseModel):
    """One field of every awkward type."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    rate: float = Field(2e-4, gt=0, le=1)
    """A small number."""
    exact: float = 0.1 + 0.2
    count: int = Field(50_000, ge=1)
    large: int = 2**31 - 1
    maybe: int | None = Field(None, ge=1)
    given: int | None = 7
    flag: bool = True
    word: str = "plain, with comma"
    place: Path = Path("a b/ü.tif")
    shape: tuple[int, int] = (64, 32)
    sizes: tuple[int, ...] = (8, 16, 32)
    one: tuple[float, ...] = (0.5,)
    few: list[str] = ["a", "b"]
    none_or_sizes: tuple[int, ...] | None = None
    kind: Literal["gan", "wgan"] = "wgan"
    kind_or_none: Literal["a", "b"] | None = None
    number_or_word: int | Literal["auto"] = "auto"
    weights: dict[str, float] = {"a": 1e-3}
    inner: Inner = Inner(rate=3e-9)


@pytest.mark.parametrize(("family", "preset"), [(f, p) for f in FAMILIES for p in FAMILIES[f].presets])
def test_every_preset_reads_back(qtbot, family, preset):
    settings = FAMILIES[family].presets[preset]
    form = SettingsForm(settings)
    qtbot.addWidget(form)
    assert form.read() == settings
    assert form.changes(settings) == {}


def test_awkward_types_read_back(qtbot):
    form = SettingsForm(Odd())
    qtbot.addWidget(form)
    assert form.read() == Odd()
    assert SettingsForm(Odd(none_or_sizes=(1, 2), kind_or_none="b", number_or_word=3)).read() == Odd(
        none_or_sizes=(1, 2), kind_or_none="b", number_or_word=3
    )


def test_hidden_settings_keep_their_values(qtbot):
    form = SettingsForm(Odd(count=12), hide=("count",))
    qtbot.addWidget(form)
    assert "count" not in form.rows
    assert form.read() == Odd(count=12)


def test_an_edit_is_a_change_and_only_that(qtbot):
    form = SettingsForm(Odd())
    qtbot.addWidget(form)
    with qtbot.waitSignal(form.changed):
        form.rows["rate"].line.setText("1e-3")
    form.rows["sizes"].line.setText("4, 8")
    form.rows["maybe"].line.setText("3")
    form.rows["none_or_sizes"].line.setText("5, 6")
    assert form.changes(Odd()) == {"rate": 1e-3, "sizes": (4, 8), "maybe": 3, "none_or_sizes": (5, 6)}


@pytest.mark.parametrize(
    ("name", "text"), [("rate", "2"), ("rate", "fast"), ("count", "0"), ("count", ""), ("shape", "64")]
)
def test_a_value_that_cannot_be_is_named_and_not_repaired(qtbot, name, text):
    form = SettingsForm(Odd())
    qtbot.addWidget(form)
    form.rows[name].line.setText(text)
    with pytest.raises(BadInput, match=f"^{name}: "):
        form.read()
    assert not form._complaint.isHidden()
    form.rows[name].line.setText({"rate": "0.1", "count": "5", "shape": "1, 2"}[name])
    assert form._complaint.isHidden()


def test_tool_tips_are_the_fields_sentences(qtbot):
    form = SettingsForm(Odd())
    qtbot.addWidget(form)
    assert "A small number." in form.rows["rate"].toolTip()


@pytest.mark.parametrize("text", ["1e3x", "", "2.5"])
def test_a_count_that_is_none_is_said_in_plain_words(qtbot, text):
    form = SettingsForm(Odd())
    qtbot.addWidget(form)
    form.rows["count"].line.setText(text)
    assert form._complaint.text() == "count: should be a whole number"
