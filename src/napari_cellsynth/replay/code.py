"""Python written out as a formatter would: on one line where that fits, else one argument a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 88
"""Letters of a line, at most: short enough for every formatter's usual settings."""


class Call:
    """A call, or with an empty ``name`` and brackets a tuple, a list or a dictionary."""

    def __init__(self, name: str, /, *items: Any, brackets: str = "()", **named: Any) -> None:
        self.name, self.brackets = name, brackets
        self.items: list[tuple[str, Any]] = [("", item) for item in items]
        self.items += [(f"{key}=", item) for key, item in named.items()]

    def flat(self) -> str:
        inside = ", ".join(prefix + flat(item) for prefix, item in self.items)
        lone = "," if not self.name and self.brackets == "()" and len(self.items) == 1 else ""
        return f"{self.name}{self.brackets[0]}{inside}{lone}{self.brackets[1]}"


def flat(item: Any) -> str:
    return item.flat() if isinstance(item, Call) else str(item)


def text(value: str) -> str:
    """A string of Python, in double quotes."""
    said = json.dumps(value, ensure_ascii=False)
    return said if value.isprintable() else json.dumps(value)


def literal(value: Any) -> Any:
    """A setting as code."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        made = Call("", brackets="{}")
        made.items = [(f"{text(str(key))}: ", literal(item)) for key, item in value.items()]
        return made
    if isinstance(value, list | tuple):
        return Call("", *map(literal, value), brackets="[]" if isinstance(value, list) else "()")
    return repr(value)


def lines(item: Any, *, before: str = "", after: str = "", indent: int = 0) -> list[str]:
    """Code between ``before`` and ``after`` as lines that begin ``indent`` spaces in."""
    margin, whole = " " * indent, f"{before}{flat(item)}{after}"
    if indent + len(whole) <= WIDTH or not isinstance(item, Call) or not item.items:
        return [margin + whole]
    made = [f"{margin}{before}{item.name}{item.brackets[0]}"]
    for prefix, one in item.items:
        made += lines(one, before=prefix, after=",", indent=indent + 4)
    return [*made, f"{margin}{item.brackets[1]}{after}"]


def imports(wanted: Mapping[str, Sequence[str]]) -> list[str]:
    """``from module import names`` lines in the order that formatters want; ``""`` has whole modules."""
    made = [f"import {name}" for name in sorted(wanted.get("", ()))]
    for module in sorted(name for name in wanted if name):
        names = sorted(set(wanted[module]), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
        made += lines_of_import(module, names)
    return made


def lines_of_import(module: str, names: Sequence[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]
