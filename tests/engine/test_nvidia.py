"""GPUs found without torch: by the driver's library, nvidia-smi and the system; and the line that mends torch."""

import os
import sys
import time
from types import SimpleNamespace

import fake_gpus
import pytest
import torch

from napari_cellsynth.engine import environment as surroundings
from napari_cellsynth.engine import nvidia
from napari_cellsynth.engine.devices import card_of, describe_devices
from napari_cellsynth.engine.environment import advice_on_gpus, environment
from napari_cellsynth.engine.nvidia import Card, User, cards
from napari_cellsynth.engine.torch_builds import BUILDS, build_for, how_to_use

posix = pytest.mark.skipif(os.name != "posix", reason="the fake nvidia-smi is a script")
GB = 10**9


@pytest.fixture
def no_gpus(monkeypatch, tmp_path):
    """Whatever this computer has."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(nvidia, "find_nvidia_smi", lambda: None)
    monkeypatch.setattr(nvidia, "by_system", list)


@posix
def test_what_nvidia_smi_says(tmp_path, monkeypatch):
    users = [
        ["GPU-aaaa-1", str(os.getpid()), "/usr/bin/python3, with a comma", "120"],
        ["GPU-aaaa-0", "999999", "/opt/fiji/ImageJ-linux64", "5120"],
        ["GPU-aaaa-0", "999998", "[Insufficient Permissions]", "[N/A]"],
    ]
    users[0][2] = "/usr/bin/python3"
    both = [fake_gpus.card(0), fake_gpus.card(1, "Quadro P400", 2048, 1900, capability="6.1")]
    fake_gpus.install(tmp_path / "bin", monkeypatch, cards=both, users=users)
    first, second = cards()
    assert first.name == "NVIDIA RTX A5000"
    assert (first.memory, first.free) == (24564 << 20, 19000 << 20)
    assert first.users == (User(999999, "ImageJ-linux64", 5 << 30), User(999998, "process 999998", None))
    assert (first.driver, first.cuda, first.capability) == ("570.133.07", (12, 8), (8, 6))
    assert second.users[0].name == "python3"
    assert second.capability == (6, 1)


@posix
@pytest.mark.parametrize("head", ["CUDA Version: 13.0", "CUDA UMD Version: 13.0", "nothing"])
def test_older_and_newer_heads(tmp_path, monkeypatch, head):
    fake_gpus.install(tmp_path / "bin", monkeypatch, cards=[fake_gpus.card(driver="580.65.06")], cuda=head, old=True)
    (card,) = cards()
    assert card.capability is None
    assert build_for(card).name == "cu130"


@posix
def test_a_tool_that_hangs_or_fails_keeps_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(nvidia, "TIMEOUT", 0.5)
    monkeypatch.setattr(nvidia, "by_system", list)
    for trouble in ("hangs", "fails"):
        fake_gpus.install(tmp_path / trouble, monkeypatch, cards=[fake_gpus.card()], **{trouble: True})
        start = time.monotonic()
        assert cards() == []
        assert time.monotonic() - start < 10


def test_no_gpu_no_advice(no_gpus):
    assert cards() == []
    assert advice_on_gpus([]) == []


def test_the_drivers_own_library_comes_first(monkeypatch, no_gpus):
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlSystemGetCudaDriverVersion_v2=lambda: 12060,
        nvmlSystemGetDriverVersion=lambda: b"560.35.03",
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(total=24 * GB, free=20 * GB),
        nvmlDeviceGetName=lambda handle: "RTX",
        nvmlDeviceGetUUID=lambda handle: "GPU-x",
        nvmlDeviceGetCudaComputeCapability=lambda handle: (8, 9),
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=None),
            SimpleNamespace(pid=999999, usedGpuMemory=GB),
        ],
        NVMLError=RuntimeError,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    (card,) = cards()
    assert (card.name, card.free, card.cuda, card.driver) == ("RTX", 20 * GB, (12, 6), "560.35.03")
    assert [user.memory for user in card.users] == [GB, None]


def test_a_card_whose_driver_does_not_answer(tmp_path):
    about = tmp_path / "nvidia" / "gpus" / "0000:01:00.0" / "information"
    about.parent.mkdir(parents=True)
    about.write_text("Model: \t\t NVIDIA GeForce RTX 3090\nGPU UUID: \t GPU-9\n")
    (tmp_path / "nvidia" / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun 6\n"
    )
    (card,) = nvidia._by_driver_folder(tmp_path / "nvidia")
    assert (card.name, card.driver, card.uuid) == ("NVIDIA GeForce RTX 3090", "535.54.03", "GPU-9")
    assert nvidia._by_driver_folder(tmp_path / "nothing") == []


def test_a_card_without_a_driver(tmp_path):
    for name, vendor, kind in [("a", "0x10de", "0x030000"), ("b", "0x10de", "0x040300"), ("c", "0x8086", "0x030000")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(vendor + "\n")
        (tmp_path / name / "class").write_text(kind + "\n")
    (card,) = nvidia._by_bus(tmp_path)
    assert "no driver answers. Install the driver" in how_to_use(card, "2.13.0+cpu", None)


@pytest.mark.parametrize(
    ("cuda", "capability", "build"),
    [
        ((13, 1), (8, 6), "cu130"),
        ((13, 0), (12, 0), "cu130"),
        ((13, 0), (7, 0), "cu126"),
        ((12, 8), (8, 6), "cu126"),
        ((12, 2), (8, 6), "cu126"),
        ((12, 8), (12, 0), "cu128"),
        ((12, 4), (6, 1), "cu126"),
        ((12, 4), None, "cu126"),
        ((12, 4), (12, 0), None),
        ((13, 0), (3, 5), None),
        ((11, 8), (8, 6), None),
    ],
)
def test_the_build_for_a_card(cuda, capability, build):
    found = build_for(Card(0, "RTX", driver="1", cuda=cuda, capability=capability))
    assert (found.name if found else None) == build


def test_a_driver_that_does_not_name_its_cuda():
    assert build_for(Card(0, "RTX", driver="575.64", capability=(12, 0))).name == "cu128"
    assert build_for(Card(0, "RTX", driver="527.41", capability=(8, 6))).name == "cu126"
    assert build_for(Card(0, "RTX", driver="472.12", capability=(8, 6))) is None


def test_the_line_that_mends_it():
    card = Card(0, "RTX A5000", driver="570.133", cuda=(12, 8), capability=(8, 6))
    words = how_to_use(card, "2.13.0+cpu", None)
    assert "(RTX A5000)" in words
    assert words.endswith("pip install torch --index-url https://download.pytorch.org/whl/cu126")
    assert "torch 2.13.0+cpu is built for the processor alone" in words
    assert "built for CUDA 13.0, does not fit it or its driver 570.133" in how_to_use(card, "2.13.0+cu130", "13.0")
    old = how_to_use(Card(0, "GTX", driver="470.1", cuda=(11, 4), capability=(7, 5)), "2.13.0", None)
    assert "driver 470.1 is too old" in old and "pip" not in old
    assert "too old for today's torch; training" in how_to_use(
        Card(0, "K40", driver="580", cuda=(13, 0), capability=(3, 5)), "2", None
    )
    assert "Install the newest driver" in how_to_use(
        Card(0, "RTX 5090", driver="560", cuda=(12, 6), capability=(12, 0)), "2", None
    )
    assert len({build.name for build in BUILDS}) == 3


@posix
@pytest.mark.skipif(torch.cuda.is_available(), reason="torch uses the GPU here")
def test_check_names_a_gpu_that_torch_does_not_use(tmp_path, monkeypatch):
    fake_gpus.install(tmp_path / "bin", monkeypatch, cards=[fake_gpus.card()])
    found = environment()
    assert found["gpus"] == ["NVIDIA RTX A5000"]
    assert [device["device"] for device in found["devices"]][-1] == "cpu"
    assert "pip install torch --index-url https://download.pytorch.org/whl/cu126" in found["advice"][0]
    fake_gpus.install(tmp_path / "bin", monkeypatch, cards=[fake_gpus.card(driver="470.82")], cuda="CUDA Version: 11.4")
    assert "too old" in environment()["advice"][0]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "hidden by CUDA_VISIBLE_DEVICES='-1'" in environment()["advice"][0]


def test_a_chip_that_the_build_has_no_code_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80", "sm_86", "sm_90", "sm_120"])
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    pascal = Card(0, "GTX 1080", driver="580", cuda=(13, 0), capability=(6, 1))
    assert "whl/cu126" in advice_on_gpus([pascal])[0]
    ada = Card(0, "RTX 4090", driver="580", cuda=(13, 0), capability=(8, 9))
    assert advice_on_gpus([ada]) == []
    assert surroundings._has_code_for(Card(0, "later", capability=(13, 0)), ["sm_90", "compute_120"])
    assert not surroundings._has_code_for(Card(0, "later", capability=(13, 0)), ["sm_90", "sm_120"])


def test_which_card_torch_means(monkeypatch):
    known = [Card(0, "A", "GPU-a"), Card(1, "A", "GPU-b")]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert card_of(1, known) == known[1]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    assert card_of(0, known) == known[1]
    assert card_of(2, known) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-b")
    assert card_of(0, known) == known[1]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    different = [Card(0, "slow", "GPU-s"), Card(1, "fast", "GPU-f")]
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert card_of(0, different) == different[0]
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="f"))
    assert card_of(0, different) == different[1]
    # torch counts those that are visible.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="sf"[index + 1]))
    assert card_of(0, different) == different[1]


def test_devices_say_who_uses_them(monkeypatch):
    users = (User(1, "fiji", 3 * GB), User(os.getpid(), "python", GB))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (20 * GB, 24 * GB))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "RTX")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpu, *_, cpu = describe_devices([Card(0, "RTX", users=users)])
    assert gpu["users"] == [{"pid": 1, "name": "fiji", "memory": 3 * GB}]
    assert (gpu["free"], gpu["memory"]) == (20 * GB, 24 * GB)
    assert cpu["users"] == []


@pytest.mark.gpu
def test_a_real_gpu_is_found_without_torch():
    found = cards()
    assert found
    _, total = torch.cuda.mem_get_info(0)
    card = card_of(0, found)
    assert card is not None
    assert abs(card.memory - total) < 0.1 * total
    assert card.capability == torch.cuda.get_device_capability(0)
    assert advice_on_gpus(found) == []
