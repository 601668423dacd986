"""Work off the GUI thread: one adaptor around napari's generator workers.

Three things that napari's (superqt's) workers do not do by themselves:

- a ``RuntimeError`` inside a generator, which CUDA's out-of-memory is, ends
  as a warning, without ``errored`` and without ``finished``: here it comes out
  as :class:`RunFailed`, in words;
- ``quit`` drops the generator without closing it: here it is closed, in its
  own thread, so that its ``finally`` runs and nothing stays half-written;
- all workers share a pool of as many threads as there are cores, so that two
  that only watch a folder stop everything on a small machine: a worker that
  mostly waits (``watches=True``) gives its place in the pool away.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, QThreadPool

from napari_cellsynth.errors import CellsynthError, RunFailed

T = TypeVar("T")
R = TypeVar("R")


class Worker(GeneratorWorker):
    """A generator worker that closes its generator and leaves known errors to whoever started it."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.run)
        self._handled = job.handles_errors

    def run(self) -> None:
        try:
            super().run()
        except RuntimeError as error:
            # The application ended under us: its signals are gone, and so is everybody who listened.
            if "deleted" not in str(error):
                raise

    def work(self) -> Any:
        try:
            result = super().work()
        finally:
            self._gen.close()
        if isinstance(result, RuntimeError) and "deleted" in str(result):
            # superqt would warn of it on the terminal; raised, it ends quietly in `run` above.
            raise result
        return result

    def _relay_error(self, error: Exception) -> None:
        # A panel that says what went wrong needs no pop-up beside it, unless it is a defect of ours.
        if not (self._handled and isinstance(error, CellsynthError)):
            super()._relay_error(error)


def nothing() -> Iterator[Any]:
    """A job that is done."""
    return iter(())


class Job:
    """The generator function of a worker, under the name that napari shows for it when it is closed."""

    def __init__(self, make: Callable[[], Iterator[Any]], description: str, watches: bool, handled: bool) -> None:
        self.make, self.description, self.watches, self.handles_errors = make, description, watches, handled

    def __str__(self) -> str:
        return self.description

    def run(self) -> Generator[Any, Any, Any]:
        if self.watches:
            QThreadPool.globalInstance().releaseThread()
        try:
            return (yield from self.make())
        except RuntimeError as error:
            raise RunFailed(in_words(error)) from error
        finally:
            self.make = nothing  # Qt never lets go of a worker, and this may hold a whole movie
            if self.watches:
                QThreadPool.globalInstance().reserveThread()


def start(
    make: Callable[[], Iterator[T]],
    *,
    yielded: Callable[[T], Any] | None = None,
    returned: Callable[[Any], Any] | None = None,
    failed: Callable[[Exception], Any] | None = None,
    finished: Callable[[], Any] | None = None,
    description: str = "",
    watches: bool = False,
    owner: QObject | None = None,
) -> Worker:
    """Run a generator in napari's pool; every callback arrives in the GUI thread.

    ``make`` is called in the worker's thread, and what it makes must yield
    often: that is where ``quit()`` takes hold.  napari asks before it closes
    over a worker, under ``description``, except over one that only ``watches``.
    When ``owner`` goes, the worker ends and its callbacks are silent.
    After ``quit()`` nothing comes but ``finished``, which comes last after an
    error, too.
    """
    job = Job(make, description or "CellSynth", watches, failed is not None)
    alive = Alive(owner)
    wishes = {"returned": returned, "errored": failed, "finished": finished}
    connect = {name: alive.guard(callback) for name, callback in wishes.items() if callback is not None}
    if yielded is not None:
        connect["yielded"] = alive.guard_news(yielded)
    if watches:
        worker = Worker(job)
        for name, callback in connect.items():
            getattr(worker, name).connect(callback)
    else:
        worker = create_worker(job, _worker_class=Worker, _connect=connect, _start_thread=False, _ignore_errors=True)
    alive.ends(worker)
    worker.start()
    return worker


def call(
    function: Callable[[], R],
    *,
    returned: Callable[[R], Any] | None = None,
    failed: Callable[[Exception], Any] | None = None,
    finished: Callable[[], Any] | None = None,
    description: str = "",
    watches: bool = True,
    owner: QObject | None = None,
) -> Worker:
    """Run one short function off the GUI thread (a look at the disk, an import); it cannot be interrupted."""

    def once() -> Generator[None, None, R]:
        yield None
        return function()

    return start(
        once,
        returned=returned,
        failed=failed,
        finished=finished,
        description=description,
        watches=watches,
        owner=owner,
    )


class Alive:
    """Whether the widget that asked is still there."""

    def __init__(self, owner: QObject | None) -> None:
        self.there = True
        self._owner = owner
        self._worker: Worker | None = None
        self._called: list[list[Callable[..., Any]]] = []
        """Callbacks, each alone in a list that is emptied when the worker has ended: they, too, hold what they need."""
        if owner is not None:
            owner.destroyed.connect(self._gone)

    def guard(self, callback: Callable[..., Any]) -> Callable[..., None]:
        held = self._hold(callback)

        def if_there(*arguments: Any) -> None:
            if self.there and held:
                held[0](*arguments)

        return if_there

    def _hold(self, callback: Callable[..., Any]) -> list[Callable[..., Any]]:
        self._called.append([callback])
        return self._called[-1]

    def guard_news(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """What was still under way when ``quit()`` was called is no longer news."""
        held = self._hold(callback)

        def if_wanted(*arguments: Any) -> None:
            if self.there and held and self._worker is not None and not self._worker.abort_requested:
                held[0](*arguments)

        return if_wanted

    def ends(self, worker: Worker) -> None:
        self._worker = worker
        worker.finished.connect(self._forget)

    def _forget(self) -> None:
        self._worker = None
        for held in self._called:
            held.clear()
        if self.there and self._owner is not None:
            self._owner.destroyed.disconnect(self._gone)

    def _gone(self, *_: Any) -> None:
        self.there = False
        if self._worker is not None:
            self._worker.quit()


def in_words(error: RuntimeError) -> str:
    """One line for the person at the screen."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "out of memory" in text.lower() or type(error).__name__ == "OutOfMemoryError":
        return f"the memory is full ({text}); close other programs, or choose fewer images at once"
    return text
