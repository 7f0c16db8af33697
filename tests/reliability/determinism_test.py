#!/usr/bin/env python3
"""The same bytes for any number of threads and whatever memory held before.

    determinism_test.py BIN_FOLDER SOURCE_FOLDER [unittest arguments]

PipelineTest takes one small run; EveryConfigTest the smoke run of every config of the project.
Step memory is filled by train_filled.cpp, the rest of the heap by the C library.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import runs

BIN = SOURCE = None
# Threads, the byte in step memory, the byte in the heap. 255: NaNs; 127: 3.4e38; 0: as pages come.
VARIANTS = [(1, 255, 85), (2, 127, 170), (3, 0, 255), (7, 255, 1)]


class Variants(unittest.TestCase):
    def compare(self, *arguments):
        """Complaints about what differs from the plain run with one thread."""
        with tempfile.TemporaryDirectory(prefix="pare-bits-") as name:
            programs = runs.Bin(BIN, name)
            self.run_variant(programs, "plain", arguments, 1)
            complaints = []
            for threads, step, heap in VARIANTS:
                out = f"threads{threads}"
                self.run_variant(programs, out, arguments, threads, step, heap)
                names = runs.differences(pathlib.Path(name) / out, pathlib.Path(name) / "plain")
                complaints += [f"{out}, fill {step}: {n} differs" for n in names]
            return complaints

    def run_variant(self, programs, out, arguments, threads, step=None, heap=None):
        program = [programs.bin / "train"] if step is None else [programs.bin / "train_filled", str(step)]
        more = {} if heap is None else {"GLIBC_TUNABLES": f"glibc.malloc.perturb={heap}"}
        done = subprocess.run([*program, *map(str, arguments), "--out", out, "--threads", str(threads), "-q"],
                              cwd=programs.home, env=programs.environment(**more),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)


class PipelineTest(Variants):
    def test_threads_and_memory_change_no_byte(self):
        self.assertEqual(self.compare("--config", runs.CONFIG), [])

    def test_another_seed_does(self):
        """The comparison can fail."""
        with tempfile.TemporaryDirectory(prefix="pare-bits-") as name:
            programs = runs.Bin(BIN, name)
            for seed in ("1", "2"):
                self.run_variant(programs, seed, ["--config", runs.CONFIG, "--set", f"seed={seed}"], 1)
            names = runs.differences(pathlib.Path(name) / "1", pathlib.Path(name) / "2")
            self.assertIn("model.pare", names)


def run_configs():
    """Every config that is a run, and no experiment with runs as its base."""
    for path in sorted((SOURCE / "configs").rglob("*.json")):
        text = re.sub(r"//[^\n]*", "", path.read_text())
        if not re.search(r'"(axes|base)":', text):
            yield path


class EveryConfigTest(Variants):
    # Digits for all, so that no files are needed and every config runs here.
    DATA = ["--set", "dataset.kind=digits", "--set", "dataset.limit=900", "--set", "dataset.validation=100"]

    def test_smoke_runs(self):
        count = 0
        for path in run_configs():
            with self.subTest(str(path.relative_to(SOURCE))):
                self.assertEqual(self.compare("--config", path, "--smoke", *self.DATA), [])
                count += 1
        print(f"{count} configs with the same bytes for threads and fills {VARIANTS}", file=sys.stderr)


if __name__ == "__main__":
    BIN, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
