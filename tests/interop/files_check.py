#!/usr/bin/env python3
"""A checkpoint opened by h5py, and its arrays written as safetensors by Pare and opened by the
package safetensors: the same numbers in both. Then the other way round: what safetensors writes
begins a run. Optional: it needs the Python packages h5py, numpy and safetensors.

    files_check.py BIN_FOLDER CHECKPOINT
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file


def check(programs, checkpoint, folder):
    with h5py.File(checkpoint, "r") as file:
        description = json.loads(file["json"][()])
        arrays = {name: dataset[()] for name, dataset in file["network"].items()}
    shapes = description["network"]["shapes"]
    print(f"h5py: {len(arrays)} arrays of a network of {len(shapes)} nodes, format {description['format']}")

    ours = folder / "ours.safetensors"
    subprocess.run([programs / "weights", "safetensors", checkpoint, ours], check=True)
    loaded = load_file(ours)
    assert set(loaded) == {name.replace(":", "/") for name in arrays}
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name.replace(":", "/")], array)
    with safe_open(ours, framework="numpy") as file:
        assert file.metadata() == {"format": "pare"}
    print(f"safetensors: the same {len(loaded)} arrays")

    theirs = folder / "theirs.safetensors"
    save_file({name: array for name, array in arrays.items() if array.dtype == np.float32}, theirs)
    config = folder / "config.json"
    config.write_text(json.dumps(description["config"]))
    out = subprocess.run([programs / "train", "--config", config, "--init-from", theirs, "--smoke", "--out",
                          folder / "run", "--set", "dataset.kind=digits"], capture_output=True, text=True)
    assert out.returncode == 0 and "first weights from" in out.stderr, out.stderr
    print("train --init-from takes what safetensors writes")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(temporary))
