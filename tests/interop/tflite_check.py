#!/usr/bin/env python3
"""TensorFlow Lite files of Pare through other people's interpreters.

usage: tflite_check.py BIN [MODEL...] [--random N] [--images N] [--dataset KIND]

Every model (a model.pare or a run folder) is exported and run on N test images (1000), and N random
networks (0) on three images each, by TensorFlow Lite Micro (package tflite-micro), whose codes must
all be the engine's, and by LiteRT (package ai-edge-litert) with its reference kernels and with
XNNPACK: within one code of the engine's, labels equal on at least 99.9 % of a model's images.
An interpreter that is not installed is said and skipped. Exit code 1 where one of this fails.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

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
    """(name, function, whether every code must be equal)"""
    if micro:
        yield "TensorFlow Lite Micro", micro_outputs, True
    else:
        print("tflite-micro is not installed: skipped")
    if litert:
        kinds = litert.OpResolverType
        yield ("LiteRT, reference kernels",
               lambda *a: litert_outputs(kinds.BUILTIN_REF, *a), False)
        yield "LiteRT, XNNPACK", lambda *a: litert_outputs(kinds.AUTO, *a), False
    else:
        print("ai-edge-litert is not installed: skipped")


class Count:
    """What one reader made of everything."""

    def __init__(self):
        self.networks = self.codes = self.differing = self.largest = self.images = self.labels = 0

    def add(self, found, expected):
        distance = numpy.abs(found.astype(int) - expected.astype(int))
        self.networks += 1
        self.codes += distance.size
        self.differing += int((distance > 0).sum())
        self.largest = max(self.largest, int(distance.max()))
        self.images += len(found)
        self.labels += int((found.argmax(1) != expected.argmax(1)).sum())

    def text(self):
        return (f"{self.differing} of {self.codes:,} codes differ ({self.differing / self.codes:.3%}),"
                f" by at most {self.largest}; labels differ on {self.labels} of {self.images:,} images")


def check(title, name, function, exact, cases, strict):
    """Whether a reader keeps its promise on these cases (file, images, outputs)."""
    count, failed = Count(), []
    for model, images, outputs in cases:
        try:
            found = numpy.stack(list(function(model, images)))
        except Exception as error:  # an interpreter that refuses a file
            failed.append(f"{model.name}: {str(error).splitlines()[0]}")
            continue
        count.add(found, outputs)
    refused = f"; {len(failed)} refused, the first: {failed[0]}" if failed else ""
    print(f"{title}: {name}: {count.text() if count.codes else 'nothing ran'}{refused}", flush=True)
    if not strict:
        return True
    good = count.codes > 0 and not failed
    if exact:
        return good and count.differing == 0
    return good and count.largest <= 1 and count.labels <= count.images * 0.001


def model_case(options, model, folder):
    extra = ["--dataset", options.dataset] if options.dataset else []
    done = subprocess.run([str(options.bin / "export"), model, "--format", "tflite", "--out",
                           str(folder), "--verify", str(options.images), "--samples", "--json",
                           *extra], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        print(f"{model}: not exported: {done.stderr.strip().splitlines()[-1]}")
        return None
    result = json.loads(done.stdout)
    count = result["images"]
    images = numpy.fromfile(folder / "codes.bin", numpy.int8).reshape(count, -1)
    outputs = numpy.fromfile(folder / "outputs.bin", numpy.int8).reshape(count, -1)
    return folder / result["files"][0]["name"], images, outputs


def random_cases(options, folder):
    print(subprocess.run([str(options.bin / "export_random_files"), "tflite", str(folder),
                          str(options.random)], text=True, stdout=subprocess.PIPE,
                         check=True).stdout.strip())
    for i in range(options.random):
        images = numpy.fromfile(folder / f"r{i}.in", numpy.int8).reshape(3, -1)
        outputs = numpy.fromfile(folder / f"r{i}.out", numpy.int8).reshape(3, -1)
        yield folder / f"r{i}.tflite", images, outputs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--dataset", default="")
    options = parser.parse_args()
    good = True
    for model in options.models:
        with tempfile.TemporaryDirectory() as name:
            case = model_case(options, model, pathlib.Path(name))
            for reader in readers() if case else ():
                good = check(model, *reader, [case], True) and good
    if options.random:
        with tempfile.TemporaryDirectory() as name:
            cases = list(random_cases(options, pathlib.Path(name)))
            for title, function, exact in readers():
                good = check("random networks", title, function, exact, cases, exact) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
