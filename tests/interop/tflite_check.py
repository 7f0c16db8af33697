#!/usr/bin/env python3
"""TensorFlow Lite files of Pare through other people's interpreters.

usage: tflite_check.py BIN [MODEL...] [--random N] [--images N] [--dataset KIND]

Every model (a model.pare or a run folder) is exported and run on N test images (1000), and N random
networks (0) on three images each, by TensorFlow Lite Micro (package tflite-micro), whose codes must
all be the engine's, and by LiteRT (package ai-edge-litert) with its reference kernels and with
XNNPACK: within one code of the engine's, labels equal on at least 99.9 % of a model's images.
An interpreter that is not installed is said and skipped. Exit code 1 where one of this fails.
"""

import exported

try:
    from tflite_micro import runtime as micro
except ImportError:
    micro = None
try:
    from ai_edge_litert import interpreter as litert
except ImportError:
    litert = None


def micro_outputs(model, images):
    interpreter = micro.Interpreter.from_file(str(model))
    shape = interpreter.get_input_details(0)["shape"]
    for image in images:
        interpreter.set_input(image.reshape(shape), 0)
        interpreter.invoke()
        yield interpreter.get_output(0).ravel().copy()


def litert_outputs(kind, model, images):
    interpreter = litert.Interpreter(model_path=str(model), experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    entry, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    for image in images:
        interpreter.set_tensor(entry["index"], image.reshape(entry["shape"]))
        interpreter.invoke()
        yield interpreter.get_tensor(end).ravel().copy()


def readers():
    kinds = litert.OpResolverType if litert else None
    if micro:
        yield "TensorFlow Lite Micro", micro_outputs, True, True
    else:
        print("tflite-micro is not installed: skipped")
    if litert:
        yield ("LiteRT, reference kernels",
               lambda *a: litert_outputs(kinds.BUILTIN_REF, *a), False, False)
        yield "LiteRT, XNNPACK", lambda *a: litert_outputs(kinds.AUTO, *a), False, False
    else:
        print("ai-edge-litert is not installed: skipped")


if __name__ == "__main__":
    exported.main("tflite", list(readers()))
