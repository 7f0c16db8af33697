#!/usr/bin/env python3
"""ONNX files of Pare through onnxruntime, its graph left as it is and fused to integer layers.

usage: onnx_check.py BIN [MODEL...] [--random N] [--images N] [--dataset KIND]

Every model (a model.pare or a run folder) is exported and run on N test images (1000), and N random
layers (0) on three images each. Codes must be within one of the engine's, labels equal on at least
99.9 % of a model's images; each file must pass ONNX's own checker too. Exit code 1 where one of
this fails. Needs the packages onnxruntime, onnx and numpy.

Without optimisation every node is computed as ONNX defines it, in float32. With it, onnxruntime
replaces what stands between DequantizeLinear and QuantizeLinear by integer layers of its own.
"""

import sys

import exported
import onnx
import onnxruntime


def outputs(level, model, images):
    onnx.checker.check_model(str(model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    found = session.run(None, {entry.name: images.reshape(len(images), *entry.shape[1:])})[0]
    return found.reshape(len(images), -1)


LEVELS = onnxruntime.GraphOptimizationLevel


def readers():
    yield "onnxruntime, as it stands", lambda *a: outputs(LEVELS.ORT_DISABLE_ALL, *a), False, True
    yield "onnxruntime, fused", lambda *a: outputs(LEVELS.ORT_ENABLE_ALL, *a), False, True


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(3)
    print(f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}, "
          f"Python {sys.version.split()[0]}")
    exported.main("onnx", list(readers()))
