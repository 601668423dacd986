"""Tracks out of links between single outlines, as other programs keep them; and the other way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from napari_cellsynth.errors import BadInput

Node = int
"""A program's own number of an outline."""


def branches(
    frames: Mapping[Node, int],
    links: Iterable[tuple[Node, Node]],
    goes_on: Callable[[Node, Node], bool] = lambda mother, next_: False,
) -> tuple[list[list[Node]], dict[int, int]]:
    """Lists of outlines that are one cell each, in the order of time; and, by place in that list, from child to parent.

    A cell with two successors ends there, and both begin anew, unless
    ``goes_on(outline, successor)`` says of one that it is the same cell.

    Raises:
        BadInput: an outline has two predecessors (cells do not merge), or a link does not lead on in time.
    """
    after: dict[Node, list[Node]] = {}
    before: dict[Node, Node] = {}
    for a, b in links:
        a, b = (a, b) if frames[a] <= frames[b] else (b, a)
        if frames[a] == frames[b]:
            raise BadInput(f"outlines {a} and {b} of frame {frames[a]} are linked; a link leads on in time")
        if b in before and before[b] != a:
            raise BadInput(
                f"outline {b} in frame {frames[b]} comes from two ({before[b]} and {a}); cells do not merge: link"
                " without merging"
            )
        if b not in before:
            after.setdefault(a, []).append(b)
        before[b] = a
    same = {a: _continues(a, found, goes_on) for a, found in after.items()}
    place: dict[Node, int] = {}
    lines: list[list[Node]] = []
    parents: dict[int, int] = {}
    for node in sorted(frames, key=lambda n: (frames[n], n)):
        origin = before.get(node)
        if origin is not None and same[origin] == node:
            place[node] = place[origin]
            lines[place[node]].append(node)
            continue
        place[node] = len(lines)
        lines.append([node])
        if origin is not None:
            parents[place[node]] = place[origin]
    return lines, parents


def _continues(node: Node, successors: list[Node], goes_on: Callable[[Node, Node], bool]) -> Node | None:
    """The successor that is the same cell, if there is one."""
    if len(successors) == 1:
        return successors[0]
    found = [one for one in successors if goes_on(node, one)]
    return found[0] if len(found) == 1 else None
