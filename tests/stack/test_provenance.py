"""The block that says where an image comes from."""

from napari_cellsynth.stack.provenance import set_provenance


def test_the_files_of_a_set_say_which_part_of_which_recording() -> None:
    source = {"name": "a", "path": "a.tif", "hash": "12", "selection": {"channel": 1}, "split": "train"}
    block = set_provenance("clips", {"size": 8}, [source])
    assert block["made_by"] == "prepare clips"
    assert block["synthetic"] is False
    assert block["inputs"] == [{"name": "a", "path": "a.tif", "hash": "12", "selection": {"channel": 1}}]
