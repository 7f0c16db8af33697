#!/usr/bin/env python3
"""Every shipped config through other people's interpreters.

usage: all_configs.py BIN FORM [--images N] [--only PATTERN] [--runs DIR]

FORM is tflite or onnx. Every config below configs/ that is a run is trained by `train --smoke`, for only the
arithmetic is looked at here (or found in DIR, where its folder has the config's path with - for /), exported, and run on
N test images (1000) by the readers of tflite_check.py or onnx_check.py. One row of a table each: how many of the 10 codes of
each image differ from the engine's (by at most how much; on how many images the label does). A config that does not export has its reason there. Exit code 1 where a reader that has to give every code does not, and where `export` failed
instead of refusing.
"""

import argparse
import fnmatch
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile

import exported

ROOT = pathlib.Path(__file__).resolve().parents[2]


def configs(pattern):
    for path in sorted((ROOT / "configs").rglob("*.json")):
        name = str(path.relative_to(ROOT / "configs").with_suffix(""))
        is_run = not name.startswith("experiments/") and '"axes"' not in path.read_text()
        if is_run and fnmatch.fnmatch(name, pattern):
            yield name


def run_of(options, name, folder):
    """The folder of its run, or why there is none."""
    if options.runs and (options.runs / name.replace("/", "-") / "model.pare").is_file():
        return options.runs / name.replace("/", "-"), None
    done = subprocess.run([options.bin / "train", "--config", f"{name}.json", "--smoke", "-q", "--out", folder / "run"],
                          text=True, capture_output=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1]
    if not (folder / "run/model.pare").is_file():
        return None, "no integer form: " + json.loads((folder / "run/result.json").read_text())["integer_refused"]
    return folder / "run", None


def exported_case(options, run, folder):
    """(file, images, outputs), or why there is none; raises where `export` failed."""
    done = subprocess.run([options.bin / "export", run, "--format", options.form, "--out", folder / "files", "--verify",
                           str(options.images), "--samples", "--json"], text=True, capture_output=True)
    said = done.stderr.strip().splitlines()
    if done.returncode == 2:  # refused: the format cannot say it
        return None, said[0]
    if done.returncode != 0:
        raise RuntimeError(f"export ended with {done.returncode}: {said[-1] if said else ''}")
    return exported.read_case(json.loads(done.stdout), folder / "files"), None


def check(options, readers, name):
    """Prints the config's row; whether nothing is wrong."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        run, reason = run_of(options, name, folder)
        case = None
        if run:
            case, reason = exported_case(options, run, folder)
        if not case:
            print(f"| {name} | not exported: {reason} |" + " |" * (len(readers) - 1), flush=True)
            return True
        good, cells = True, []
        for _, function, exact, _ in readers:
            count = exported.Count()
            count.add(exported.outputs_of(function, case), case[2])
            good = good and (not exact or count.differing == 0)
            cells.append(f"{count.differing:,} ({count.largest}; {count.labels})")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("form", choices=("tflite", "onnx"))
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--only", default="*")
    parser.add_argument("--runs", type=pathlib.Path)
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    readers = list(importlib.import_module(f"{options.form}_check").readers())
    if not readers:
        sys.exit(f"expected a reader of {options.form}; none of its packages is installed")
    print("| config | " + " | ".join(title for title, *_ in readers) + " |")
    print("|---|" + "---|" * len(readers))
    wrong = []
    for name in configs(options.only):
        try:
            if not check(options, readers, name):
                wrong.append(name)
        except Exception as error:  # the others are looked at all the same
            print(f"| {name} | failed | {error} |", flush=True)
            wrong.append(name)
    if wrong:
        sys.exit(f"{len(wrong)} configs failed: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
