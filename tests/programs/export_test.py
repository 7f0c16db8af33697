#!/usr/bin/env python3
"""The program `export` as a user calls it: files, exit codes, and that a wrong export is noticed.

usage: export_test.py BIN ROOT [Test...]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = ROOT = None


def call(program, *arguments, **environment):
    return subprocess.run([str(BIN / program), *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "NO_COLOR": "1", **environment})


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.run_folder = cls.folder / "run"
        done = call("train", "--config", ROOT / "configs/device/mnist_16k.json", "--smoke",
                    "--set", "dataset.kind=digits", "--out", cls.run_folder)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def export(self, out, *arguments, **environment):
        return call("export", self.run_folder, "--out", self.folder / out, *arguments,
                    **environment)

    def compiler(self, edit):
        """A compiler that changes the source before it compiles it."""
        script = self.folder / "cc"
        script.write_text("#!/bin/sh\nfor f in \"$@\"; do case $f in */mnist_16k.c) sed -i '" + edit +
                          "' \"$f\";; esac; done\nexec cc \"$@\"\n")
        script.chmod(0o755)
        return str(script)

    def test_c99_is_written_with_its_sizes(self):
        done = self.export("c", "--format", "c99", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertIn("0 of", result["verified"])
        self.assertGreater(result["arena"], 784)
        names = sorted(p.name for p in (self.folder / "c").iterdir())
        self.assertEqual(names, ["mnist_16k.c", "mnist_16k.h", "mnist_16k_selftest.c"])

    def test_bytes_in_and_out(self):
        done = self.export("bytes", "--format", "c99", "--io", "uint8", "--verify", "20")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("(const uint8_t *input, uint8_t *output",
                      (self.folder / "bytes/mnist_16k.h").read_text())

    def test_one_wrong_rounding_is_noticed_and_nothing_is_written(self):
        wrong = self.compiler("s/(mask >> 1) + (high < 0 ? 1 : 0)/(mask >> 1) - 1/")
        done = self.export("wrong", "--format", "c99", CC=wrong)
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertFalse((self.folder / "wrong").exists())

    def test_c_that_does_not_compile_is_noticed(self):
        done = self.export("broken", "--format", "c99", CC=self.compiler("s/int32_t c, y/int32_t y/"))
        self.assertEqual(done.returncode, 5, done.stdout)

    def test_without_a_compiler_it_says_so(self):
        done = self.export("none", "--format", "c99", PATH="/nonexistent", CC="")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no C compiler", done.stdout)

    def test_a_model_alone_needs_data_or_no_verification(self):
        alone = self.folder / "alone.pare"
        alone.write_bytes((self.run_folder / "model.pare").read_bytes())
        refused = call("export", alone, "--format", "c99", "--out", self.folder / "alone")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--dataset", refused.stderr)
        for extra in (["--verify", "0"], ["--dataset", "digits", "--verify", "50"]):
            done = call("export", alone, "--format", "c99", "--out", self.folder / "alone", *extra)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_no_model_is_exit_code_3(self):
        config = ROOT / "configs/device/mnist_16k.json"
        for what in (config, self.run_folder / "checkpoints/last.h5", self.folder / "missing"):
            done = call("export", what, "--format", "c99", "--out", self.folder / "x")
            self.assertEqual(done.returncode, 3, done.stderr)

    def test_files_are_read_back_and_written(self):
        for kind, extra in (("tflite", []), ("tflite", ["--io", "uint8"]), ("safetensors", [])):
            done = self.export(kind, "--format", kind, "--samples", *extra)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("read back, 0 of", done.stdout)
            names = sorted(p.name for p in (self.folder / kind).iterdir())
            self.assertEqual(names, ["codes.bin", f"mnist_16k.{kind}", "outputs.bin", "pixels.bin"])

    def test_onnx_is_read_back_and_evaluated(self):
        for io in ("int8", "uint8"):
            done = self.export("onnx", "--format", "onnx", "--io", io, "--verify", "50", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            result = json.loads(done.stdout)
            self.assertIn("by at most 1 (allowed: 1)", result["verified"])
            size = (self.folder / "onnx/mnist_16k.onnx").stat().st_size
            self.assertEqual(result["files"], [{"name": "mnist_16k.onnx", "bytes": size}])

    def test_what_tflite_cannot_hold_is_refused(self):
        for key, value, expected in (("requantization.rounding", "single", "rounds once"),
                                     ("compression.int4.weights.scheme", "affine", "symmetric")):
            run = self.folder / value
            done = call("train", "--config", ROOT / "configs/device/mnist_16k.json", "--smoke", "--set",
                        "dataset.kind=digits", "--set", f"{key}={value}", "--out", run)
            self.assertEqual(done.returncode, 0, done.stderr)
            done = call("export", run, "--format", "tflite", "--out", self.folder / "refused")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(expected, done.stderr)
            self.assertFalse((self.folder / "refused").exists())

    def test_an_unknown_format_is_exit_code_2(self):
        self.assertEqual(self.export("x", "--format", "caffe").returncode, 2)


if __name__ == "__main__":
    BIN, ROOT = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
