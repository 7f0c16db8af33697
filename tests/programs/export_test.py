#!/usr/bin/env python3
"""The program `export` as a user calls it: files, exit codes, and that a wrong export is noticed.

usage: export_test.py BIN ROOT [Test...]
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BIN = ROOT = None


def call(program, *arguments, **environment):
    return subprocess.run([str(BIN / program), *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "NO_COLOR": "1", **environment})


class RunTest(unittest.TestCase):
    """A small network, trained once."""

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

    def compiler(self, edit, main="*"):
        """A compiler that changes the network before it compiles it with that main program."""
        script = self.folder / "cc"
        script.write_text("#!/bin/sh\ncase \"$*\" in */" + main + ".c*) for f in \"$@\"; do case $f in "
                          "*/mnist_16k.c) sed -i '" + edit + "' \"$f\";; esac; done;; esac\n"
                          "exec cc \"$@\"\n")
        script.chmod(0o755)
        return str(script)


class ExportTest(RunTest):
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

    def test_a_network_that_only_fails_on_test_images_is_noticed(self):
        """The self test passes; behind it the compiler spoils the network."""
        wrong = self.compiler("s/(mask >> 1) + (high < 0 ? 1 : 0)/(mask >> 1) - 1/", main="main")
        done = self.export("wrong", "--format", "c99", CC=wrong)
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn("codes differ from the engine's", done.stderr)

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


class DamagedTest(RunTest):
    """`export_damaged` spoils a byte of the file before it is read back: exit code 5, no trace."""

    FORMATS = ("tflite", "onnx", "safetensors")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.right = {}
        for kind in cls.FORMATS:
            done = call("export", cls.run_folder, "--out", cls.folder / "right", "--format", kind,
                        "--verify", "4")
            assert done.returncode == 0, done.stderr
            cls.right[kind] = (cls.folder / f"right/mnist_16k.{kind}").read_bytes()

    def damaged(self, kind, byte, bits, out="out"):
        """Exports with a spoilt byte; nothing of it may stay in the temporary folder."""
        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        done = call("export_damaged", byte, bits, self.run_folder, "--out", self.folder / out,
                    "--format", kind, "--verify", "4", TMPDIR=str(temporary))
        self.assertEqual(list(temporary.iterdir()), [])
        return done

    def bias(self):
        """The bytes of the last layer's biases, which every format stores as they are."""
        file = self.right["safetensors"]
        size = int.from_bytes(file[:8], "little")
        begin, end = json.loads(file[8:8 + size])["dense.bias"]["data_offsets"]
        return file[8 + size + begin:8 + size + end]

    def test_a_wrong_bias_is_exit_code_5_and_nothing_is_written(self):
        for kind in self.FORMATS:
            self.assertEqual(self.right[kind].count(self.bias()), 1, kind)
            byte = self.right[kind].index(self.bias()) + 2
            done = self.damaged(kind, byte, 1)
            self.assertEqual(done.returncode, 5, f"{kind}: {done.stderr}")
            self.assertIn(f"mnist_16k.{kind}", done.stderr)
            self.assertFalse((self.folder / "out").exists())

    def test_files_that_are_there_already_stay_as_they_are(self):
        for kind in self.FORMATS:
            byte = self.right[kind].index(self.bias()) + 2
            done = self.damaged(kind, byte, 1, out="right")
            self.assertEqual(done.returncode, 5, f"{kind}: {done.stderr}")
        found = {p.name: p.read_bytes() for p in (self.folder / "right").iterdir()}
        self.assertEqual(found, {f"mnist_16k.{kind}": self.right[kind] for kind in self.FORMATS})

    def test_c_leaves_nothing_behind_and_files_as_they_are(self):
        done = self.export("c", "--format", "c99", "--verify", "4")
        self.assertEqual(done.returncode, 0, done.stderr)
        before = {p.name: p.read_bytes() for p in (self.folder / "c").iterdir()}
        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        for main in ("mnist_16k_selftest", "main"):
            wrong = self.compiler("s/return (high >> right)/return 1 + (high >> right)/", main)
            done = self.export("c", "--format", "c99", CC=wrong, TMPDIR=str(temporary))
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertEqual(list(temporary.iterdir()), [])
        self.assertEqual({p.name: p.read_bytes() for p in (self.folder / "c").iterdir()}, before)

    def test_a_file_that_cannot_be_read_back_is_exit_code_5(self):
        for kind, byte in (("tflite", 4), ("onnx", 0), ("safetensors", 7)):
            done = self.damaged(kind, byte, 255)
            self.assertEqual(done.returncode, 5, f"{kind}: {done.stderr}")
            self.assertIn("cannot be read back", done.stderr)
            self.assertFalse((self.folder / "out").exists())

    def test_any_number_of_a_safetensors_file_is_compared(self):
        """The high byte of a weight too, which no image's codes hang on."""
        file = self.right["safetensors"]
        begin = 8 + int.from_bytes(file[:8], "little")
        for byte in [len(file) - 1, begin, *range(begin + 3, len(file), (len(file) - begin) // 7)]:
            done = self.damaged("safetensors", byte, 1)
            self.assertEqual(done.returncode, 5, f"byte {byte}: {done.stderr}")
            self.assertFalse((self.folder / "out").exists())

    def test_any_byte_is_noticed_or_changes_no_code(self):
        for kind in ("tflite", "onnx"):
            file, noticed = self.right[kind], 0
            for byte in range(5, len(file), len(file) // 6):
                done = self.damaged(kind, byte, 64)  # of a weight of four bits 8 codes, which are stored times 8
                self.assertIn(done.returncode, (0, 5), f"{kind}: byte {byte}: {done.stderr}")
                written = self.folder / f"out/mnist_16k.{kind}"
                self.assertEqual(written.exists(), done.returncode == 0)
                if done.returncode == 0:
                    self.assertEqual(written.read_bytes()[byte], file[byte] ^ 64)
                    shutil.rmtree(self.folder / "out")
                noticed += done.returncode == 5
            self.assertGreater(noticed, 2, kind)


if __name__ == "__main__":
    BIN, ROOT = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
