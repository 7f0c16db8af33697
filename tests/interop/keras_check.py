#!/usr/bin/env python3
"""Weights that Keras saved give Keras's logits in Pare: three networks, every layout in which Keras
writes HDF5. Optional: it needs the Python packages tensorflow, and tf_keras for Keras 2.

    keras_check.py BIN_FOLDER        (the folder that holds `weights`)
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

DOCUMENT = [{"kind": "conv2d", "filters": 32, "kernel": 3, "activation": "relu"}, {"kind": "max_pool2d", "size": 2},
            {"kind": "flatten"}, {"kind": "dense", "units": 128, "activation": "relu"}, {"kind": "dense", "units": 10}]
RICH = [{"kind": "conv2d", "filters": 8, "kernel": 5}, {"kind": "batch_norm", "epsilon": 0.001}, {"kind": "relu"},
        {"kind": "depthwise_conv2d", "kernel": 3, "padding": 1, "multiplier": 2},
        {"kind": "conv2d", "filters": 16, "kernel": 3, "stride": 2, "padding": "same", "activation": "relu"},
        {"kind": "avg_pool2d", "size": 2}, {"kind": "flatten"}, {"kind": "dense", "units": 10}]
GROUPED = [{"kind": "conv2d", "filters": 8, "kernel": 3, "groups": 2}, {"kind": "global_avg_pool2d"},
           {"kind": "flatten"},
           {"kind": "dense", "units": 7, "bias": False}]


def document(k):
    layers = k.layers
    return [layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
            layers.Dense(128, activation="relu"), layers.Dense(10)]


def rich(k):
    layers = k.layers
    return [layers.Conv2D(8, 5, use_bias=False, name="first"), layers.BatchNormalization(), layers.ReLU(),
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"), layers.AveragePooling2D(2),
            layers.Flatten(), layers.Dense(10)]


def grouped(k):
    layers = k.layers
    return [layers.Conv2D(8, 3, groups=2), layers.GlobalAveragePooling2D(), layers.Dense(7, use_bias=False)]


NETWORKS = [("document", document, DOCUMENT, (28, 28, 1)), ("rich", rich, RICH, (28, 28, 1)),
            ("grouped", grouped, GROUPED, (12, 10, 4))]


def save(model, folder, keras3):
    """Every file that this Keras can write, by a name for people."""
    names = {"model.save": folder / "model.h5", "save_weights": folder / "w.weights.h5"}
    if not keras3:
        names["save_weights"] = folder / "weights.h5"
    model.save(names["model.save"])
    model.save_weights(names["save_weights"])
    return names


def check(k, title, keras3, weights):
    rng = np.random.default_rng(1)
    for name, layers, nodes, shape in NETWORKS:
        model = k.Sequential([k.layers.InputLayer(shape), *layers(k)])
        for variable in model.weights:
            low, high = (0.5, 1.5) if "variance" in variable.name else (-0.3, 0.3)
            variable.assign(rng.uniform(low, high, variable.shape).astype("float32"))
        images = rng.random((8, *shape), dtype=np.float32)
        expected = model.predict(images, verbose=0)
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            (folder / "model.json").write_text(json.dumps(nodes))
            images.tofile(folder / "images.f32")
            for layout, path in save(model, folder, keras3).items():
                out = subprocess.run([weights, "logits", folder / "model.json", *map(str, shape), path,
                                      folder / "images.f32"], capture_output=True, text=True)
                assert out.returncode == 0, out.stderr
                got = np.loadtxt(out.stdout.splitlines())
                worst = np.abs(got - expected).max()
                print(f"{title}, {name}, {layout}: largest difference of a logit {worst:.2e}"
                      f" (logits up to {np.abs(expected).max():.2f})")
                assert worst < 1e-5 * max(1, np.abs(expected).max())


if __name__ == "__main__":
    program = pathlib.Path(sys.argv[1]) / "weights"
    import keras
    check(keras, f"Keras {keras.__version__}", True, program)
    try:
        import tf_keras
    except ImportError:
        print("tf_keras is not installed: Keras 2 is left out")
    else:
        check(tf_keras, f"Keras 2 ({tf_keras.__version__})", False, program)
