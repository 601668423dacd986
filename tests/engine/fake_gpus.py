"""An nvidia-smi that says what a test wants, on a PATH of its own."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

SMI = """#!{python}
import json, sys, time
said = json.load(open({said!r}))
if said.get("hangs"):
    time.sleep(30)
if said.get("fails"):
    sys.exit("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
words = " ".join(sys.argv[1:])
if "--query-gpu" in words:
    if "compute_cap" in words and said.get("old"):
        print('Field "compute_cap" is not a valid field to query.')
        sys.exit(2)
    for card in said["cards"]:
        print(", ".join(card[:6] if "compute_cap" not in words else card))
elif "--query-compute-apps" in words:
    for user in said["users"]:
        print(", ".join(user))
else:
    print("| NVIDIA-SMI " + said["driver"] + "   Driver Version: " + said["driver"] + "   " + said["cuda"] + " |")
"""


def card(index=0, name="NVIDIA RTX A5000", total=24564, free=19000, driver="570.133.07", capability="8.6"):
    return [str(index), f"GPU-aaaa-{index}", name, str(total), str(free), driver, capability]


def install(folder: Path, monkeypatch, *, cards=(), users=(), cuda="CUDA Version: 12.8", **more) -> Path:
    """Put the fake on the PATH and the driver's library, where it is installed, out of the way; the file it reads."""
    folder.mkdir(exist_ok=True)
    said, program = folder / "said.json", folder / "nvidia-smi"
    driver = cards[0][5] if cards else "570.133.07"
    said.write_text(json.dumps({"cards": list(cards), "users": list(users), "cuda": cuda, "driver": driver, **more}))
    program.write_text(SMI.format(python=sys.executable, said=str(said)))
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return said
