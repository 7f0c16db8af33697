#!/usr/bin/env python3
"""Reads a run's events/ with TensorBoard's own reader and compares them with metrics.jsonl and
result.json. Optional: it needs the Python package tensorboard.

    tensorboard_check.py RUN_FOLDER
"""

import json
import math
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

ROW_TAGS = {"train/loss": "loss", "train/accuracy": "accuracy", "validation/accuracy": "validation",
            "schedule/learning_rate": "learning_rate", "compression/masked": "sparsity"}


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def check(run):
    events = EventAccumulator(str(run / "events"), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for tag, key in ROW_TAGS.items():
        expected = [(row["step"], float32(row[key])) for row in rows if row[key] is not None]
        got = [(e.step, e.value) for e in events.Scalars(tag)] if expected else []
        assert got == expected, f"{tag}: {got} instead of {expected}"
    result = json.loads((run / "result.json").read_text())
    if result["accuracy"]["integer"] is not None:
        assert events.Scalars("result/accuracy_integer")[-1].value == float32(result["accuracy"]["integer"])
    for tag in tags["histograms"]:
        for event in events.Histograms(tag):
            h = event.histogram_value
            assert math.isclose(sum(h.bucket), h.num) and len(h.bucket) == len(h.bucket_limit), tag
            assert list(h.bucket_limit) == sorted(h.bucket_limit), tag
    config = tensor_util.make_ndarray(events.Tensors("config")[0].tensor_proto)[0].decode()
    text = "\n".join(line[4:] for line in config.split("\n"))
    assert json.loads(text) == json.loads((run / "config.json").read_text())
    return tags, rows


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tags, rows = check(pathlib.Path(sys.argv[1]))
    print(f"{len(rows)} rows, {len(tags['scalars'])} scalar tags and {len(tags['histograms'])} histogram tags agree")


if __name__ == "__main__":
    main()
