"""``python -m napari_cellsynth``: the shell, and what napari starts a training with."""

import sys

from napari_cellsynth.cli import main

if __name__ == "__main__":
    sys.exit(main())
