"""How the batch of a turn is shared by several processes, and taken in parts by each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from napari_cellsynth.engine.recipe import Batch
from napari_cellsynth.errors import BadInput


def share_size(batch: int, count: int) -> int:
    """The most examples that one of ``count`` processes takes of a batch.

    Raises BadInput where there are not enough for all.
    """
    if batch < count:
        raise BadInput(
            f"a batch of {batch} cannot be shared by {count} processes; "
            f"set batch_size to {count} or more, or start fewer processes"
        )
    even = -(-batch // count)
    # Shares of 2 of a batch of 5 leave nothing for the last of 4; shares of 1 do, and the last takes two.
    return even if -(-batch // even) >= count else batch // count


def parts(batch: Batch, micro_batch: int | None, rank: int = 0, count: int = 1) -> Iterator[tuple[int, Batch]]:
    """What one of ``count`` processes takes of a batch, at most ``micro_batch`` examples at once, with its number.

    Together they take each example once.  Random draws follow the number: two
    processes draw what one does that takes the batch in the same parts.
    """
    size = share_size(len(batch), count)
    at_once = size if micro_batch is None else min(micro_batch, size)
    shares = _split(batch, size)
    for number in range(rank * len(shares) // count, (rank + 1) * len(shares) // count):
        first = number * -(-size // at_once)
        yield from enumerate(_split(shares[number], at_once), start=first)


def _split(batch: Batch, size: int) -> Sequence[Batch]:
    return [batch] if size >= len(batch) else batch.split(size)
