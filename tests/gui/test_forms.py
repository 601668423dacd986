"""What a form shows is what it reads back, for every preset of every family."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_cellsynth import stack
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
    config = FAMILIES[family].presets[preset]
    form = SettingsForm(config)
    qtbot.addWidget(form)
    assert form.read() == config
    assert form.changes(config) == {}


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


# -- all settings there are, at any values within their bounds -------------------------------------------------------


def all_settings() -> dict[str, type[BaseModel]]:
    """Settings of the families and of everything in ``stack`` that has some, by name."""
    found: dict[str, type[BaseModel]] = {family.name: family.settings for family in FAMILIES.values()}
    for module in pkgutil.walk_packages(stack.__path__, f"{stack.__name__}."):
        if module.name.endswith(("settings", "holdout")):
            for name, kind in vars(import_module(module.name)).items():
                if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == module.name:
                    found[name] = kind
    return found


def drawn(annotation: Any, bounds: dict[str, float]) -> st.SearchStrategy[Any]:
    """Values of a type within bounds."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return drawn(members[0], {**bounds, **limits(members[1:])})
    if origin is Literal:
        return st.sampled_from(members)
    if origin in (Union, UnionType):
        return st.one_of(*(drawn(member, bounds) for member in members))
    if origin in (tuple, list):
        inner = [drawn(member, {}) for member in members if member is not Ellipsis]
        if origin is tuple and Ellipsis not in members:
            return st.tuples(*inner)
        return st.lists(inner[0], min_size=1, max_size=4).map(origin)
    simple = {
        type(None): st.none(),
        bool: st.booleans(),
        int: st.integers(
            int(bounds.get("ge", bounds.get("gt", -1001) + 1)), int(bounds.get("le", bounds.get("lt", 10**6)))
        ),
        float: st.floats(
            bounds.get("ge", bounds.get("gt", -1e6)),
            bounds.get("le", bounds.get("lt", 1e6)),
            exclude_min="gt" in bounds,
            exclude_max="lt" in bounds,
        ),
        str: st.text("abc äµ-_.0123456789", min_size=1, max_size=12).map(str.strip).filter(bool),
        Path: st.just(Path("a folder/b.tif")),
    }
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return values_of(annotation)
    return simple[annotation]


def limits(metadata: Any) -> dict[str, float]:
    return {name: getattr(one, name) for one in metadata for name in ("ge", "gt", "le", "lt") if hasattr(one, name)}


def values_of(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Models with values of all fields; None for those that together are refused."""
    fields = {name: drawn(field.annotation, limits(field.metadata)) for name, field in kind.model_fields.items()}

    def made(values: dict[str, Any]) -> Any:
        try:
            return kind(**values)
        except ValidationError:
            return None

    return st.fixed_dictionaries(fields).map(made)


SETTINGS = all_settings()


def test_all_settings_are_looked_at():
    assert {"dcgan", "CropSettings", "ClipSettings", "PairSettings", "TrapSettings", "OutlineSettings"} <= set(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_a_form_shows_is_what_it_reads(qtbot, name):
    kind = SETTINGS[name]
    tried = []

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(values_of(kind))
    def reads_back(config: BaseModel | None) -> None:
        if config is None:
            return
        tried.append(config)
        form = SettingsForm(config)
        assert form.read() == config
        form.deleteLater()

    reads_back()
    assert len(tried) >= 3, "hardly any values were within what the settings allow together"


@pytest.mark.parametrize("name", SETTINGS)
def test_values_that_are_put_into_a_form_are_read(qtbot, name):
    kind = SETTINGS[name]
    form = SettingsForm(kind())
    qtbot.addWidget(form)

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(values_of(kind))
    def takes(config: BaseModel | None) -> None:
        if config is not None:
            form.show_values(dict(config))
            assert form.read() == config

    takes()
