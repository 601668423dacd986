"""The report for support: what is in it, and that no pixels and nobody's name are."""

import json
import zipfile
from pathlib import Path

import pytest
from toys import Toy

from napari_cellsynth.engine import support
from napari_cellsynth.engine.support import Cleaner, write_bundle
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import BadInput

IN_A_RUN = {"state.txt", "files.txt", "run.json", "alive.json", "log.txt", "events.jsonl"}


@pytest.fixture
def somebody(tmp_path, monkeypatch):
    """A user called annika.berg on a computer called LAB-PC-7."""
    home = tmp_path / "home" / "annika.berg"
    home.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr(support.getpass, "getuser", lambda: "annika.berg")
    monkeypatch.setattr(support.socket, "gethostname", lambda: "LAB-PC-7")
    monkeypatch.setattr(support, "_computer", lambda: {"python": "3", "where": str(home / "envs" / "napari")})
    return home


@pytest.fixture
def run(somebody):
    """A finished run in her home, with all that a run has."""
    from toys import new_toy_run

    folder, settings = new_toy_run(somebody / "CellSynth" / "trainings" / "yeast-1", steps=20)
    list(train(folder, Toy(settings), settings, device="cpu"))
    data = {"path": str(somebody / "movies" / "a"), "sources": [{"path": "/lab/annika.berg/b.tif"}]}
    folder.update_record(data=data)
    folder.log(f"read {somebody / 'x.tif'} on LAB-PC-7, for annika.berg; annika.bergman is somebody else")
    (folder.path / "data").mkdir()
    (folder.path / "data" / "crops.ome.tif").write_bytes(b"PIXELS")
    return folder


def contents(path):
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_what_is_in_it(run, tmp_path):
    made = write_bundle(tmp_path / "report", [run.path])
    assert made == tmp_path / "report.zip"
    found = contents(made)
    mine = {f"runs/yeast-1/{name}" for name in IN_A_RUN}
    assert set(found) == {"README.txt", "computer.json", "plugins.txt", *mine}
    assert found["runs/yeast-1/state.txt"].startswith("finished at step 20 of 20")
    assert "previews/step-00000020.ome.tif" in found["runs/yeast-1/files.txt"]
    assert '"finished"' in found["runs/yeast-1/events.jsonl"]
    assert any(line.startswith("napari-cellsynth ") and "plugin" in line for line in found["plugins.txt"].splitlines())
    assert json.loads(found["runs/yeast-1/run.json"])["data"]["path"] == "~/movies/a"
    assert json.loads(found["computer.json"])["where"] == "~/envs/napari"


def test_no_pixels_and_no_names(run, tmp_path):
    made = write_bundle(tmp_path / "report.zip", [run.path])
    found = contents(made)
    everything = "\n".join([*found, *found.values()])
    for secret in ("annika.berg,", "annika.berg/", "annika.berg;", "LAB-PC-7", str(tmp_path / "home"), "PIXELS"):
        assert secret not in everything, secret
    assert not any(name.endswith((".tif", ".safetensors", ".pt", ".png")) for name in found)
    assert made.stat().st_size < 200_000
    assert "read ~/x.tif on computer, for user; annika.bergman is somebody else" in found["runs/yeast-1/log.txt"]
    assert "/lab/user/b.tif" in found["runs/yeast-1/run.json"]


def test_other_computers_are_not_named_either(run, tmp_path):
    sign = {**run.alive.to_json(), "host": "bergs-gpu.lab.example.org", "ended": False}
    (run.path / "alive.json").write_text(json.dumps(sign))
    run.log("is being trained by process 7 on bergs-gpu, by bergs-gpu.lab.example.org")
    everything = "\n".join(contents(write_bundle(tmp_path / "r.zip", [run.path])).values())
    assert "bergs" not in everything
    assert "process 7 on computer, by computer\n" in everything


def test_a_link_leads_nowhere(run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("key")
    (run.path / "log.txt").unlink()
    (run.path / "log.txt").symlink_to(secret)
    assert "runs/yeast-1/log.txt" not in contents(write_bundle(tmp_path / "r.zip", [run.path]))


def test_only_the_end_of_a_long_log(run, tmp_path, monkeypatch):
    monkeypatch.setattr(support, "END", 500)
    for number in range(100):
        run.log(f"line {number}")
    text = contents(write_bundle(tmp_path / "r.zip", [run.path]))["runs/yeast-1/log.txt"]
    assert text.startswith("[the beginning is left out]\n20")
    assert text.endswith("line 99\n")
    assert len(text) < 600


def test_runs_of_one_name_and_folders_that_are_none(run, tmp_path, somebody):
    (tmp_path / "other").mkdir()
    found = contents(write_bundle(tmp_path / "r.zip", [run.path, run.path, tmp_path / "other"]))
    assert "runs/yeast-1 (2)/run.json" in found
    assert "no run" in found["runs/other/missing.txt"]


def test_nothing_is_written_over_and_nothing_half_written(run, tmp_path, monkeypatch):
    (tmp_path / "r.zip").write_text("mine")
    with pytest.raises(BadInput, match="is there already"):
        write_bundle(tmp_path / "r.zip", [])
    with pytest.raises(BadInput, match="is not a folder"):
        write_bundle(tmp_path / "nowhere" / "r.zip", [])
    monkeypatch.setattr(support, "_packages", lambda: 1 / 0)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError):
        write_bundle(tmp_path / "s.zip", [run.path])
    assert sorted(tmp_path.iterdir()) == before


def test_paths_of_windows_in_json():
    class Home(type(Path())):
        def __str__(self):
            return r"C:\Users\Anna"

        def as_posix(self):
            return "C:/Users/Anna"

        def resolve(self, strict=False):
            return self

        name = "Anna"

    clean = Cleaner(Home(), "Anna", "LAB")
    said = json.dumps({"a": r"C:\Users\Anna\x.tif", "b": "C:/Users/Anna/y", "c": r"D:\Anna\z", "d": "Annabelle"})
    assert json.loads(clean(said)) == {"a": "~\\x.tif", "b": "~/y", "c": r"D:\user\z", "d": "Annabelle"}


def test_the_computer_is_asked_of_a_process_where_torch_is_not_loaded(monkeypatch):
    asked = []

    def run(command, **options):
        asked.append(command[1:])
        raise OSError("no process")

    monkeypatch.setattr(support.subprocess, "run", run)
    modules = {name: module for name, module in support.sys.modules.items() if name != "torch"}
    monkeypatch.setattr(support.sys, "modules", modules)
    assert "no process" in support._computer()["failed"]
    assert asked == [["-m", "napari_cellsynth", "check", "--json"]]
