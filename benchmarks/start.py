"""How long a user waits before anything appears: importing the package, the shell's help, the dock, napari itself.

Each is measured in fresh processes, five of each; the median counts. The
dock is timed from the call to the window having drawn it, with torch not
imported before, as when napari opens it from its menu. napari is timed as
a whole process, from nothing to the window having drawn itself, with this
plugin and with this plugin disabled (npe2's own switch), in turns.

    python benchmarks/start.py
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

REPEATS = 5
IMPORT = """
import time; began = time.perf_counter()
import napari_cellsynth
took = time.perf_counter() - began
import sys
assert not {"torch", "qtpy", "napari"} & set(sys.modules)
print(took)
"""
API = IMPORT.replace("import napari_cellsynth", "import napari_cellsynth, napari_cellsynth.api")
DOCK = """
import time, napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show=True)
QApplication.processEvents()
began = time.perf_counter()
viewer.window.add_plugin_dock_widget("napari-cellsynth", "Workbench")
QApplication.processEvents()
took = time.perf_counter() - began
import sys
assert "torch" not in sys.modules, "the dock loads torch"
viewer.close()
print(took)
"""
NAPARI = """
import time; began = time.perf_counter()
import sys, npe2, napari
manager = npe2.PluginManager.instance()
manager.discover()
assert manager.get_manifest("napari-cellsynth")
if sys.argv[1] == "without":
    manager.disable("napari-cellsynth")
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show=True)
QApplication.processEvents()
took = time.perf_counter() - began
assert not {"torch", "napari_cellsynth.gui.dock"} & set(sys.modules), "napari's start loads the plugin"
viewer.close()
print(took)
"""


def of_code(code: str, *words: str, display: bool = False) -> float:
    """Seconds that the code prints as its last line."""
    command = [sys.executable, "-c", code, *words]
    if display and sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if shutil.which("xvfb-run") is None:
            return float("nan")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def of_help() -> float:
    """Seconds of the whole process ``cellsynth info --help``."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "napari_cellsynth", "info", "--help"], capture_output=True, check=True)
    return time.perf_counter() - began


def main() -> None:
    jobs = {
        "import napari_cellsynth": lambda: of_code(IMPORT),
        "import napari_cellsynth.api": lambda: of_code(API),
        "cellsynth info --help": of_help,
        "the dock opens": lambda: of_code(DOCK, display=True),
        "napari without the plugin": lambda: of_code(NAPARI, "without", display=True),
        "napari with the plugin": lambda: of_code(NAPARI, "with", display=True),
    }
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(REPEATS):  # in turns: what else the machine does falls on all alike
        for name, job in jobs.items():
            found[name].append(job())
    for name, seconds in found.items():
        print(f"{name:28} {statistics.median(seconds):.3f} s  (from {min(seconds):.3f} to {max(seconds):.3f})")
    print(json.dumps({name: statistics.median(seconds) for name, seconds in found.items()}))


if __name__ == "__main__":
    main()
