"""What tflite_check.py and onnx_check.py share: exported files with the images and the codes that
belong to them, and how a reader's codes are compared with the engine's."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy


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


def outputs_of(function, case):
    """What a reader makes of a case (file, images, outputs)."""
    return numpy.stack(list(function(case[0], case[1])))


def check(title, name, function, exact, cases, strict, labels=1.0):
    """Whether a reader keeps its promise on these cases (file, images, outputs): all codes equal
    where it is exact, else within one, with at most this fraction of other labels."""
    count, failed = Count(), []
    for model, images, outputs in cases:
        try:
            found = outputs_of(function, (model, images, outputs))
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
    return good and count.largest <= 1 and count.labels <= count.images * labels


def model_case(options, form, model, folder):
    extra = ["--dataset", options.dataset] if options.dataset else []
    done = subprocess.run([str(options.bin / "export"), model, "--format", form, "--out",
                           str(folder), "--verify", str(options.images), "--samples", "--json",
                           *extra], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        print(f"{model}: not exported: {done.stderr.strip().splitlines()[-1]}")
        return None
    return read_case(json.loads(done.stdout), folder)


def read_case(result, folder):
    """The file that `export --samples --json` wrote, with the codes of its images and of the engine's outputs."""
    count = result["images"]
    images = numpy.fromfile(folder / "codes.bin", numpy.int8).reshape(count, -1)
    outputs = numpy.fromfile(folder / "outputs.bin", numpy.int8).reshape(count, -1)
    return folder / result["files"][0]["name"], images, outputs


def random_cases(options, form, folder):
    print(subprocess.run([str(options.bin / "export_random_files"), form, str(folder),
                          str(options.random)], text=True, stdout=subprocess.PIPE,
                         check=True).stdout.strip())
    for i in range(options.random):
        images = numpy.fromfile(folder / f"r{i}.in", numpy.int8).reshape(3, -1)
        outputs = numpy.fromfile(folder / f"r{i}.out", numpy.int8).reshape(3, -1)
        yield folder / f"r{i}.{form}", images, outputs


def main(form, readers):
    """readers: (name, function, whether every code must be equal, whether random networks count).
    Exit code 1 where one of them fails."""
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
            case = model_case(options, form, model, pathlib.Path(name))
            for title, function, exact, _ in readers if case else ():
                good = check(model, title, function, exact, [case], True, 0.001) and good
    if options.random:
        with tempfile.TemporaryDirectory() as name:
            cases = list(random_cases(options, form, pathlib.Path(name)))
            for title, function, exact, strict in readers:
                good = check("random networks", title, function, exact, cases, strict) and good
    sys.exit(0 if good else 1)
