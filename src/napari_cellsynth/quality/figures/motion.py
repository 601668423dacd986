"""How cells move, as figures: trajectories, components, the state in three dimensions, statistics, the grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.statistics import mean_squared_displacement
from napari_cellsynth.quality.figures.saving import FREE, MADE, REAL, new_figure
from napari_cellsynth.quality.motion_check import COMPONENTS, MotionCheck, Moving
from napari_cellsynth.quality.motion_measures import angles, step_lengths
from napari_cellsynth.quality.motion_words import clock, length_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
LIGHT = ("white", "black")
SHOWN = 40
"""Paths in a plot."""
SECOND = "#009e73"
"""Okabe and Ito's green: real cells of a second condition."""
BINS = 24
NARROW = 2.5
"""Inches of a plot's width below which its title takes two lines."""
REAL_WORDS, MADE_WORDS = "held-out (real)", "simulated"


# -- trajectories (figure 4 of the paper) ----------------------------------------------------------------------------


def chosen(paths: Sequence[Floats], seed: int) -> list[Floats]:
    """Up to ``SHOWN`` paths, drawn by the seed, each from where it begins."""
    order = np.random.default_rng([seed, 11]).permutation(len(paths))[:SHOWN]
    return [paths[i] - paths[i][0] for i in sorted(order)]


def draw_trajectories(check: MotionCheck, paper: tuple[str, str] = LIGHT, width: float = 3.0) -> Figure:
    """A row for each condition: held-out and simulated cells from one origin, one scale for all."""
    rows = check.conditions
    figure = new_figure(2 * width, width * len(rows) + 0.1)
    axes = figure.subplots(len(rows), 2, squeeze=False, sharex=True, sharey=True)
    reach = max(float(np.abs(path).max()) for one in rows for kind in _kinds(one, check.seed) for path in kind) * 1.05
    for line, one in zip(axes, rows, strict=True):
        for axis, paths, words in zip(line, _kinds(one, check.seed), (REAL_WORDS, MADE_WORDS), strict=True):
            colours = _many(len(paths), paper)
            for path, colour in zip(paths, colours, strict=True):
                axis.plot(path[:, 1], path[:, 0], color=colour, linewidth=0.7)
                axis.plot(path[-1:, 1], path[-1:, 0], "o", color=colour, markersize=1.8)
            apart = "\n" if width < NARROW else ", "
            axis.set_title(f"{one.name}{apart}{words}: {len(paths)} cells", fontsize=8)
            axis.set_xlim(-reach, reach)
            axis.set_ylim(reach, -reach)
            axis.set_aspect("equal")
    for axis in axes[-1]:
        axis.set_xlabel(f"x ({length_unit(rows[0].fit)})", fontsize=7)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"y ({length_unit(rows[0].fit)})", fontsize=7)
    _dress(figure, paper)
    return figure


def _kinds(one: Moving, seed: int) -> tuple[list[Floats], list[Floats]]:
    return chosen(one.parts.held_out, seed), chosen(one.simulated, seed)


def _many(count: int, paper: tuple[str, str] = LIGHT) -> list[Any]:
    """Colours that are told apart from each other and from the ground."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    first, last = (0.1, 0.85) if sum(to_rgb(paper[0])) > 1.5 else (0.35, 1.0)
    return [mpl.colormaps["viridis"](first + (last - first) * i / max(1, count - 1)) for i in range(count)]


def rows_trajectories(check: MotionCheck) -> list[tuple[Any, ...]]:
    """Source data; columns are ``TRAJECTORY``."""
    return [
        (one.name, words, number, frame, *map(float, place))
        for one in check.conditions
        for words, paths in zip((REAL_WORDS, MADE_WORDS), _kinds(one, check.seed), strict=True)
        for number, path in enumerate(paths)
        for frame, place in enumerate(path)
    ]


TRAJECTORY = ("condition", "set", "path", "frame", "y", "x")


# -- components (figure 5) -------------------------------------------------------------------------------------------


def component_sets(check: MotionCheck) -> dict[str, Floats]:
    """Values (N, K) of the first components, by the name of the set."""
    found: dict[str, Floats] = {}
    for one in check.conditions:
        found[f"{one.name} (real)"] = np.concatenate(one.states)
        if one.simulated_states:
            found[f"{one.name} (simulated)"] = np.concatenate(one.simulated_states)
    return {name: values for name, values in found.items() if len(values)}


def draw_components(check: MotionCheck) -> Figure:
    """How often each value of the first five components occurs."""
    from napari_cellsynth.quality.figures.histograms import draw_histograms

    sets = component_sets(check)
    count = min(COMPONENTS, *(values.shape[1] for values in sets.values()))
    colours = _colours(check, sets)
    units = [length_unit(check.conditions[0].fit)] * count
    return draw_histograms([f"component {k + 1}" for k in range(count)], sets, colours, units)


def _colours(check: MotionCheck, sets: dict[str, Floats]) -> list[str]:
    of = dict(zip([one.name for one in check.conditions], ((REAL, MADE), (SECOND, "#cc79a7")), strict=False))
    return [of[name.rsplit(" (", 1)[0]][name.endswith("(simulated)")] for name in sets]


COMPONENT = ("set", "row", *(f"component_{k + 1}" for k in range(COMPONENTS)))


def rows_components(check: MotionCheck, most: int = 2000) -> list[tuple[Any, ...]]:
    """Source data; evenly spaced rows where there are more."""
    found = []
    for name, values in component_sets(check).items():
        for row in np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).astype(int)):
            found.append((name, int(row), *map(float, values[row])))
    return found


# -- the state in three dimensions (figure 6) ------------------------------------------------------------------------


def draw_states(check: MotionCheck, paper: tuple[str, str] = LIGHT, width: float = 3.2) -> Figure:
    """Paths of the state through its first three dimensions, a plot for each condition."""
    figure = new_figure(width * len(check.conditions), width)
    drawn = [three(one, check.seed) for one in check.conditions]
    low, high = _box(drawn)
    for place, (one, shown) in enumerate(zip(check.conditions, drawn, strict=True)):
        axis: Any = figure.add_subplot(1, len(check.conditions), place + 1, projection="3d")
        for path, colour in zip(shown, _many(len(shown), paper), strict=True):
            axis.plot(*path.T, color=colour, linewidth=0.6)
        axis.set_title(one.name, fontsize=8)
        unit = length_unit(one.fit)
        for setter, k in ((axis.set_xlabel, 1), (axis.set_ylabel, 2), (axis.set_zlabel, 3)):
            setter(f"{k} ({unit})", fontsize=6, labelpad=-7)
        for limit, start, end in zip((axis.set_xlim, axis.set_ylim, axis.set_zlim), low, high, strict=True):
            limit(start, end)
        axis.set_box_aspect(None, zoom=0.85)
        axis.tick_params(labelsize=5, pad=-3)
    _dress(figure, paper)
    return figure


def three(one: Moving, seed: int) -> list[Floats]:
    """Up to ``SHOWN`` paths (n, 3) of the state; a dimension that does not exist is 0."""
    order = np.random.default_rng([seed, 12]).permutation(len(one.states))[:SHOWN]
    found = []
    for i in sorted(order):
        state = one.states[i][:, :3]
        found.append(np.pad(state, ((0, 0), (0, 3 - state.shape[1]))))
    return found


def _box(drawn: Sequence[Sequence[Floats]]) -> tuple[Floats, Floats]:
    """(3,) least and largest of all paths: one box for all conditions, so that they can be compared."""
    everything = np.concatenate([path for one in drawn for path in one if len(path)])
    low, high = everything.min(0), everything.max(0)
    return low, np.where(high > low, high, low + 1.0)


STATE = ("condition", "path", "frame", "dimension_1", "dimension_2", "dimension_3")


def rows_states(check: MotionCheck) -> list[tuple[Any, ...]]:
    """Source data."""
    return [
        (one.name, number, frame, *map(float, place))
        for one in check.conditions
        for number, path in enumerate(three(one, check.seed))
        for frame, place in enumerate(path)
    ]


# -- statistics ------------------------------------------------------------------------------------------------------


def draw_statistics(check: MotionCheck) -> Figure:
    """Speed, turning angle and mean squared displacement of held-out and simulated cells, a row a condition."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    figure = new_figure(7.4, 2.1 * len(check.conditions) + 0.3)
    axes = figure.subplots(len(check.conditions), 3, squeeze=False)
    for line, one in zip(axes, check.conditions, strict=True):
        unit, (time, interval) = length_unit(one.fit), clock(one.fit)
        for paths, colour, words in ((one.parts.held_out, REAL, REAL_WORDS), (one.simulated, MADE, MADE_WORDS)):
            for axis, (edges, shares) in zip(line, _shares(one, paths), strict=False):
                axis.stairs(shares, edges, color=colour, label=words, linewidth=1.1)
            curve = mean_squared_displacement(paths, interval=interval)
            line[2].loglog(curve.lag, curve.value, "o-", color=colour, markersize=2, linewidth=1)
        for side in (line[2].xaxis, line[2].yaxis):
            side.set_major_locator(LogLocator(subs=(1, 2, 5)))
            side.set_minor_formatter(NullFormatter())
            side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        titles = (f"speed ({unit}/{time})", "turning angle (\u00b0)", f"MSD ({unit}\u00b2) after ({time})")
        for axis, title in zip(line, titles, strict=True):
            axis.set_xlabel(title, fontsize=7)
            axis.tick_params(labelsize=6, length=2)
        for axis in line[:2]:
            axis.set_yticks([])
        line[0].set_title(one.name, fontsize=8, loc="left")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=7, frameon=False)
    return figure


def _shares(one: Moving, paths: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
    """Edges and shares of speeds and of the size of turning angles; edges as the real cells have them."""
    _, interval = clock(one.fit)
    top = float(np.quantile(step_lengths(one.parts.held_out) / interval, 0.995)) or 1.0
    found = []
    for values, edges in (
        (step_lengths(paths) / interval, np.linspace(0, top, BINS + 1)),
        (np.abs(angles(paths)), np.linspace(0, 180, 19)),
    ):
        counts = np.histogram(values.clip(edges[0], edges[-1]), edges)[0]
        found.append((edges, counts / max(1, len(values))))
    return found


STATISTIC = ("condition", "set", "what", "from_or_lag", "value")


def rows_statistics(check: MotionCheck) -> list[tuple[Any, ...]]:
    """Source data."""
    found: list[tuple[Any, ...]] = []
    for one in check.conditions:
        for words, paths in ((REAL_WORDS, one.parts.held_out), (MADE_WORDS, one.simulated)):
            for what, (edges, shares) in zip(("speed", "turning"), _shares(one, paths), strict=True):
                found += [(one.name, words, what, float(e), float(s)) for e, s in zip(edges, shares, strict=False)]
            curve = mean_squared_displacement(paths, interval=clock(one.fit)[1])
            found += [(one.name, words, "msd", float(x), float(y)) for x, y in zip(curve.lag, curve.value, strict=True)]
    return found


# -- the grid --------------------------------------------------------------------------------------------------------


def draw_grid(check: MotionCheck) -> Figure:
    """Error of every q and d, and of what needs no fit, a plot a condition."""
    figure = new_figure(3.6 * len(check.conditions), 2.8)
    axes = figure.subplots(1, len(check.conditions), squeeze=False)[0]
    styles = {"standing_still": ":", "mean_drift": (0, (1, 4)), "constant_velocity": "--", "random_walk": "-."}
    for axis, one in zip(axes, check.conditions, strict=True):
        sizes = sorted({point.q for point in one.fit.grid})
        for q, colour in zip(sizes, _many(len(sizes)), strict=True):
            points = [point for point in one.fit.grid if point.q == q]
            axis.plot([p.d for p in points], [p.error for p in points], color=colour, linewidth=0.9, label=f"q {q}")
            marked = [p for p in points if p.too_many]
            axis.plot([p.d for p in marked], [p.error for p in marked], "x", color=colour, markersize=4)
        for name, error in one.fit.baselines.items():
            label = name.replace("_", " ")
            axis.axhline(error, color=FREE, linestyle=styles[name], linewidth=1, label=label)
        axis.plot([one.fit.d], [one.fit.error], "o", markerfacecolor="none", color="black", label="chosen")
        axis.set_title(one.name, fontsize=8)
        axis.set_xlabel("d", fontsize=7)
        axis.set_ylabel(f"error ({length_unit(one.fit)})", fontsize=7)
        axis.tick_params(labelsize=6)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=6, frameon=False)
    return figure


GRID = ("condition", "q", "d", "error", "too_many")


def rows_grid(check: MotionCheck) -> list[tuple[Any, ...]]:
    """Source data; the baselines stand with d 0 and their name for q."""
    found: list[tuple[Any, ...]] = []
    for one in check.conditions:
        found += [(one.name, p.q, p.d, p.error, int(p.too_many)) for p in one.fit.grid]
        found += [(one.name, name, 0, error, 0) for name, error in one.fit.baselines.items()]
    return found


def _dress(figure: Any, paper: tuple[str, str]) -> None:
    """Ground and ink of a window's theme, for figures that are shown there."""
    ground, ink = paper
    figure.set_facecolor(ground)
    for axis in figure.axes:
        axis.set_facecolor(ground)
        axis.tick_params(labelsize=6, length=2, colors=ink)
        axis.title.set_color(ink)
        axis.xaxis.label.set_color(ink)
        axis.yaxis.label.set_color(ink)
        for spine in axis.spines.values():
            spine.set_color(ink)
        if hasattr(axis, "zaxis"):
            axis.zaxis.label.set_color(ink)
            for one in (axis.xaxis, axis.yaxis, axis.zaxis):
                one.set_pane_color((0.5, 0.5, 0.5, 0.08))
