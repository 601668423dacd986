"""How far a job is: a bar on a terminal, a plain line now and then otherwise, nothing when quiet; all on stderr.

With ``--progress json`` a program is told on stdout, a line of JSON each time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Self

from napari_cellsynth.stack.quantity import format_bytes, format_duration

EVERY = 10.0
"""Seconds between plain lines."""
BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} {elapsed}{postfix}"
"""What is left of the time is in the news, where it is known better."""
JSON_EVERY = 0.1
"""Seconds between lines of JSON, at least; the last one always comes."""
Kind = Literal["auto", "json"]
KINDS: tuple[Kind, ...] = ("auto", "json")
_kind: ContextVar[Kind] = ContextVar("kind of progress", default="auto")


@contextmanager
def told(kind: Kind) -> Iterator[None]:
    """Tell a person (auto) or a program (json) how far the jobs in this block are."""
    before = _kind.set(kind)
    try:
        yield
    finally:
        _kind.reset(before)


class ProgressLine:
    """Progress of one job in steps out of a total."""

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        self._what = what
        self._quiet = quiet
        self._json = _kind.get() == "json"
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None
        self._said = time.monotonic()
        self._told = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def at(self, done: int, total: int, news: str = "") -> None:
        """``done`` of ``total`` are done; ``news`` is what else there is to say."""
        if self._json:
            self._tell(done, total, news)
        elif self._quiet:
            return
        elif self._terminal:
            self._draw(done, total, news)
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            self.say(f"{self._what}: {done} of {total}" + (f", {news}" if news else ""))

    def say(self, line: str, *, always: bool = False) -> None:
        """A line that stays, whatever there is below it; ``always``: when quiet, too."""
        if self._quiet and not always:
            return
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def _tell(self, done: int, total: int, news: str) -> None:
        now = time.monotonic()
        if done >= total or now - self._told >= JSON_EVERY:
            self._told = now
            print(json.dumps({"done": done, "total": total, "message": news}), flush=True)

    def _draw(self, done: int, total: int, news: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            looks = {"desc": self._what, "bar_format": BAR, "dynamic_ncols": True, "file": sys.stderr}
            self._bar = tqdm(total=total, initial=done, **looks)
        self._bar.total = total
        self._bar.set_postfix_str(news, refresh=False)
        self._bar.update(done - self._bar.n)


def lasting(seconds: float) -> str:
    """A time to go, no more exact than anyone plans by: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 days``."""
    for unit, enough in ((1, 120), (60, 7200), (600, 48 * 3600)):
        if seconds < enough:
            return format_duration(max(unit, round(seconds / unit) * unit))
    if seconds > 365 * 86400:
        return "more than a year"
    return f"{round(seconds / 86400)} days"


def about_so_long(seconds: float) -> str:
    """``about 40 min``, or what to do about more than a year."""
    left = lasting(seconds)
    return f"{left}: fewer steps, or smaller images" if left.startswith("more") else f"about {left}"


in_bytes = format_bytes
