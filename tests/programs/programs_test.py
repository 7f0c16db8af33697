#!/usr/bin/env python3
"""Whole programs, as a user starts them: what they write, what they say, how they end.

    programs_test.py BIN_FOLDER SOURCE_FOLDER [unittest arguments]

Without $PARE_DATA everything runs on the procedural data set 'digits'; with it, one smoke run on real MNIST is
added. Training is as short as it can be: nothing here looks at accuracy.
"""

import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BIN = SOURCE = None
PATIENCE = float(os.environ.get("PARE_PATIENCE", "1"))  # with sanitizers programs are that much slower
REAL_DATA = os.environ.get("PARE_DATA")


class Finished:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr


class ProgramTest(unittest.TestCase):
    """Each class has a folder of its own, which is also the home in which no data are found."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="pare-programs-")
        cls.folder = pathlib.Path(cls.temporary.name)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def environment(cls, data=None):
        hidden = ("PARE_DATA", "PARE_PEERS", "XDG_CACHE_HOME", "PARE_HOME")
        env = {k: v for k, v in os.environ.items() if k not in hidden}
        env["HOME"] = str(cls.folder)
        if data:
            env["PARE_DATA"] = data
        return env

    @classmethod
    def run_program(cls, name, *arguments, data=None, peers=None):
        return Finished(subprocess.run([BIN / name, *map(str, arguments)], cwd=cls.folder, capture_output=True,
                                       text=True, env={**cls.environment(data), **({"PARE_PEERS": str(peers)} if peers else {})},
                                       timeout=300 * PATIENCE))

    @classmethod
    def train(cls, *arguments, **options):
        return cls.run_program("train", *arguments, **options)

    @classmethod
    def infer(cls, *arguments):
        return cls.run_program("infer", *arguments)

    def ends(self, finished, code, *parts):
        self.assertEqual(finished.code, code, finished.err)
        for part in parts:
            self.assertIn(part, finished.err)

    def bytes_of(self, *parts):
        return self.folder.joinpath(*parts).read_bytes()

    def result(self, run):
        return json.loads((self.folder / run / "result.json").read_text())


TINY = ["--config", "document_cnn.json", "--set", "dataset.kind=digits"]
RUN_FILES = ["config.json", "metrics.jsonl", "metrics.csv", "checkpoints/last.h5", "model.pare", "result.json",
             "log.txt", "report.html", "events/events.out.tfevents.pare"]


class SmokeTest(ProgramTest):
    def check_run(self, run, kind):
        for name in RUN_FILES:
            self.assertTrue((self.folder / run / name).exists(), name)
        result = self.result(run)
        self.assertEqual(result["dataset"]["kind"], kind)
        self.assertEqual(result["dataset"]["test"], 256)
        self.assertEqual(result["integer_check"]["images"], 256)
        self.assertEqual(result["integer_check"]["differing"], 0)
        self.assertGreater(result["integer_check"]["codes"], 256)
        self.assertEqual(result["bytes"]["model"], len(self.bytes_of(run, "model.pare")))
        rows = [json.loads(line) for line in (self.folder / run / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual(rows[-1]["step"], sum(phase["steps"] for phase in result["phases"]))
        return result

    def test_every_shipped_config_runs_from_its_name_to_verified_integers(self):
        for config in sorted((SOURCE / "configs").glob("*.json")):
            with self.subTest(config.name):
                finished = self.train("--config", config.name, "--smoke")
                self.ends(finished, 0, "using the data set 'digits' instead of 'mnist'")
                self.check_run(f"runs/{config.stem}", "digits")
                again = self.train("--config", f"runs/{config.stem}/config.json", "--print-config")
                self.assertEqual(again.out, (self.folder / "runs" / config.stem / "config.json").read_text())

    def test_the_main_job_prunes_and_quantizes(self):
        self.ends(self.train("--smoke", "--set", "dataset.kind=digits", "--out", "main"), 0)
        result = self.check_run("main", "digits")
        self.assertGreaterEqual(result["sparsity"], 0.95)
        self.assertEqual(result["integer_from"], "trained")
        self.assertEqual({layer["weight_bits"] for layer in result["layers"]}, {8})

    def test_the_number_of_threads_changes_no_byte(self):
        for threads in (1, 2, 3):
            arguments = ["--smoke", "--set", "dataset.kind=digits", "--threads", threads, "--out", f"t{threads}"]
            self.ends(self.train(*arguments), 0)
        for name in ("model.pare", "checkpoints/last.h5", "checkpoints/best.h5"):
            self.assertEqual(self.bytes_of("t1", name), self.bytes_of("t2", name), name)
            self.assertEqual(self.bytes_of("t1", name), self.bytes_of("t3", name), name)

    def test_json_is_the_result_and_nothing_else_is_on_stdout(self):
        finished = self.train(*TINY, "--smoke", "--out", "json", "--json", "-q")
        self.ends(finished, 0)
        self.assertEqual(json.loads(finished.out), self.result("json"))
        self.assertEqual(finished.err, "")

    @unittest.skipUnless(REAL_DATA, "PARE_DATA is not set")
    def test_real_mnist(self):
        self.ends(self.train("--smoke", "--out", "real", data=REAL_DATA), 0)
        self.check_run("real", "mnist")


def write_idx(path, extents, values):
    header = struct.pack(">BBBB", 0, 0, 8, len(extents)) + b"".join(struct.pack(">I", e) for e in extents)
    path.write_bytes(header + bytes(values))


class InferTest(ProgramTest):
    """One smoke run of the main job on digits, and the same test images as files."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        finished = cls.train("--smoke", "--set", "dataset.kind=digits", "--out", "run", "-q")
        assert finished.code == 0, finished.err
        subprocess.run([BIN / "write_digits", "1", "256", "images", "labels"], cwd=cls.folder, check=True)

    def test_it_reproduces_the_integer_accuracy_to_the_last_image(self):
        document = json.loads(self.infer("run/model.pare", "images", "--labels", "labels", "--json").out)
        self.assertEqual(document["images"], 256)
        self.assertEqual(document["correct"], round(self.result("run")["accuracy"]["integer"] * 256))
        line = self.infer("run/model.pare", "images", "--labels", "labels").out
        self.assertTrue(line.startswith(f"{document['correct']} of 256 correct: "), line)

    def test_gzip_gives_the_same_codes(self):
        (self.folder / "images.gz").write_bytes(gzip.compress(self.bytes_of("images")))
        self.assertEqual(self.infer("run/model.pare", "images.gz", "--top", "2").out,
                         self.infer("run/model.pare", "images", "--top", "2").out)

    def test_a_single_picture(self):
        pixels = self.bytes_of("images")[16:16 + 784]
        (self.folder / "first.pgm").write_bytes(b"P5 # a digit\n28 28\n255\n" + pixels)
        whole = self.infer("run/model.pare", "images", "--top", "10").out.splitlines()
        self.assertEqual(self.infer("run/model.pare", "first.pgm", "--top", "10").out.splitlines(), whole[:1])

    def test_the_python_interpreter_agrees_on_every_tensor(self):
        arguments = ["run/model.pare", "images", "--count", "3", "--all-tensors"]
        ours = self.run_program("dump_tensors", *arguments)
        theirs = subprocess.run([sys.executable, SOURCE / "tests/interpreter/pare_interpreter.py", *arguments],
                                cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(theirs.returncode, 0, theirs.stderr)
        self.assertEqual(len(ours.out.splitlines()), 3)
        for a, b in zip(ours.out.splitlines(), theirs.stdout.splitlines(), strict=True):
            self.assertEqual(json.loads(a), json.loads(b))

    def test_damaged_files_are_refused(self):
        model = bytearray(self.bytes_of("run", "model.pare"))
        generator = random.Random(1)
        for position in [0, len(model) - 1, *(generator.randrange(len(model)) for _ in range(10))]:
            damaged = bytes(model[:position]) + bytes([model[position] ^ 16]) + bytes(model[position + 1:])
            (self.folder / "damaged.pare").write_bytes(damaged)
            self.ends(self.infer("damaged.pare", "images"), 3, "damaged.pare")
        for name, content in {
                "cut": self.bytes_of("images")[:-1],
                "long": self.bytes_of("images") + b"x",
                "cut.gz": gzip.compress(self.bytes_of("images"))[:-9],
                "other": b"neither this nor that",
                "empty": b"",
                "huge": struct.pack(">IIII", 0x803, 0xffffffff, 28, 28),
                "cut.pgm": b"P5 28 28 255 " + b"x" * 783,
                "deep.pgm": b"P5 28 28 65535 " + b"x" * 1568,
                "large.pgm": b"P5 32 28 255 " + b"x" * 896}.items():
            with self.subTest(name):
                (self.folder / name).write_bytes(content)
                self.ends(self.infer("run/model.pare", name), 3, name)
        self.ends(self.infer("run/model.pare", "labels"), 3, "labels")
        self.ends(self.infer("run/model.pare", "images", "--labels", "images"), 3, "rank 1")
        self.ends(self.infer("run/model.pare", "nowhere"), 3, "nowhere")

    def test_usage(self):
        self.ends(self.infer("run/model.pare", "images", "--lables", "labels"), 2, "did you mean '--labels'?")
        self.ends(self.infer("run/model.pare"), 2, "IMAGES")
        help_text = self.infer("--help")
        self.ends(help_text, 0)
        self.assertIn("Exit codes", help_text.out)


class ColourTest(ProgramTest):
    """32 x 32 x 3 images: IDX of rank 4 to train on, the same ones as CIFAR records and as a PPM to infer."""

    def test_cifar_records_and_ppm_give_the_codes_of_idx(self):
        generator = random.Random(2)
        count, size = 40, 32 * 32 * 3
        pixels = generator.randbytes(count * size)
        labels = bytes(i % 10 for i in range(count))
        for prefix in ("train", "t10k"):
            write_idx(self.folder / f"{prefix}-images-idx3-ubyte", [count, 32, 32, 3], pixels)
            write_idx(self.folder / f"{prefix}-labels-idx1-ubyte", [count], labels)
        (self.folder / "colour.json").write_text(json.dumps({
            "dataset": {"kind": "idx", "folder": str(self.folder), "batch_size": 20},
            "model": [{"kind": "conv2d", "filters": 4, "kernel": 5, "stride": 3}, {"kind": "relu"},
                      {"kind": "flatten"}, {"kind": "dense", "units": 10}],
            "phases": [{"name": "short", "steps": 2}]}))
        finished = self.train("--config", "colour.json", "--out", "run")
        self.ends(finished, 0)
        self.assertEqual(self.result("run")["integer_from"], "post_training")

        expected = self.infer("run/model.pare", "t10k-images-idx3-ubyte", "--top", "10").out.splitlines()
        self.assertEqual(len(expected), count)
        images = [pixels[i * size:(i + 1) * size] for i in range(count)]
        planes = [image[0::3] + image[1::3] + image[2::3] for image in images]
        (self.folder / "c10.bin").write_bytes(b"".join(labels[i:i + 1] + p for i, p in enumerate(planes)))
        (self.folder / "c100.bin").write_bytes(b"".join(b"\x07" + labels[i:i + 1] + p for i, p in enumerate(planes)))
        (self.folder / "first.ppm").write_bytes(b"P6 32 32 255\n" + images[0])
        correct = self.infer("run/model.pare", "t10k-images-idx3-ubyte", "--labels", "t10k-labels-idx1-ubyte").out
        for name in ("c10.bin", "c100.bin"):
            *lines, accuracy = self.infer("run/model.pare", name, "--top", "10").out.splitlines(True)
            self.assertEqual([line.rstrip() for line in lines], expected)
            self.assertEqual(accuracy, correct)
        self.assertEqual(self.infer("run/model.pare", "first.ppm", "--top", "10").out.splitlines(), expected[:1])


class ExitCodeTest(ProgramTest):
    def test_usage_and_config(self):
        self.ends(self.train("--ovrwrite"), 2, "did you mean '--overwrite'?")
        self.ends(self.train("--config", "nowhere.json"), 2, "nowhere.json")
        (self.folder / "typo.json").write_text('{\n  "model": [{"kind": "flatten"}],\n  "optimiser": {}\n}\n')
        self.ends(self.train("--config", "typo.json"), 2,
                  "typo.json:3:3: optimiser: unknown key (did you mean 'optimizer'?)")
        self.ends(self.train("--set", "phases[1].apply=[\"prun\"]"), 2, "did you mean 'prune'?")
        self.ends(self.train("--smoke", "--resume", "--overwrite"), 2)

    def test_what_cannot_become_integers_stops_before_training(self):
        node = '{"kind": "tanh", "name": "squash"}'
        finished = self.train(*TINY, "--set", f"model[5]={node}", "--smoke", "--out", "refused")
        self.ends(finished, 2, "squash")
        self.assertFalse((self.folder / "refused").exists())

    def test_data(self):
        self.ends(self.train("--config", "document_cnn.json", "--set", "dataset.fallback=null"), 3, "mnist")
        data = self.folder / "mnist"
        data.mkdir()
        for prefix, count in (("train", 60), ("t10k", 20)):
            write_idx(data / f"{prefix}-images-idx3-ubyte", [count, 28, 28], bytes(count * 784))
            write_idx(data / f"{prefix}-labels-idx1-ubyte", [count], bytes(count))
        with open(data / "train-images-idx3-ubyte", "r+b") as file:
            file.truncate(5000)
        # Damaged is not missing: there is no falling back.
        self.ends(self.train("--config", "document_cnn.json", "--data-dir", self.folder), 3, "train-images-idx3-ubyte")

    def test_divergence(self):
        finished = self.train(*TINY, "--set", "optimizer.learning_rate=1e30", "--smoke", "--out", "diverged")
        self.ends(finished, 4, "phase 'float', step 1", "node 'dense_1'")
        self.assertIn("error: phase 'float'", (self.folder / "diverged/log.txt").read_text())

    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        self.ends(self.train(*TINY, "--smoke", "--out", "file/run"), 1, "file/run")

    def test_help_says_the_exit_codes(self):
        finished = self.train("--help")
        self.ends(finished, 0)
        for word in ("--time-limit", "Exit codes", "Examples"):
            self.assertIn(word, finished.out)

    def test_a_plan_and_a_printed_config_write_nothing(self):
        plan = self.train("--plan")
        self.ends(plan, 0)
        self.assertIn("431,594", plan.out)
        self.ends(self.train("--print-config"), 0)
        self.assertFalse((self.folder / "runs").exists())


class ResumeTest(ProgramTest):
    ARGUMENTS = [*TINY, "--set", "dataset.limit=4000", "--set", "phases[0].epochs=4", "--set", "dataset.validation=500"]

    def stopped(self, out, number, *arguments):
        """Starts a run, sends a signal once it has saved, and waits for its end."""
        process = subprocess.Popen([BIN / "train", *self.ARGUMENTS, *arguments, "--out", out], cwd=self.folder,
                                   env=self.environment(), stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while not (self.folder / out / "metrics.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
        return process.returncode, err

    def test_a_stopped_run_goes_on_to_the_same_bytes(self):
        self.ends(self.train(*self.ARGUMENTS, "--out", "whole"), 0)
        for number, code, out in ((signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")):
            returned, err = self.stopped(out, number)
            self.assertEqual(returned, code, err)
            self.assertIn(f"./pare train --resume --out {out}", err)
            self.assertIn(b"Stopped before its end", self.bytes_of(out, "report.html"))
            self.ends(self.train(*self.ARGUMENTS, "--out", out), 2, "holds a run already")
            changed = self.train(*self.ARGUMENTS, "--out", out, "--resume", "--set", "phases[0].epochs=5")
            self.ends(changed, 2, "/phases/0/epochs")
            resumed = self.train("--resume", "--out", out)
            self.ends(resumed, 0, f"resuming from {out}/checkpoints/last.h5")
            for name in ("model.pare", "checkpoints/last.h5", "checkpoints/best.h5"):
                self.assertEqual(self.bytes_of(out, name), self.bytes_of("whole", name), name)
            self.assertNotIn(b"Stopped before its end", self.bytes_of(out, "report.html"))
            events = "events/events.out.tfevents.pare"  # equal but for times, which have a fixed size
            self.assertEqual(len(self.bytes_of(out, events)), len(self.bytes_of("whole", events)))
            whole, after = self.result("whole"), self.result(out)
            self.assertEqual(whole["accuracy"], after["accuracy"])
            rows = (self.folder / out / "metrics.jsonl").read_text().splitlines()
            self.assertEqual(len(rows), len((self.folder / "whole/metrics.jsonl").read_text().splitlines()))

    def test_a_damaged_checkpoint_is_not_resumed(self):
        returned, err = self.stopped("damaged", signal.SIGTERM)
        self.assertEqual(returned, 143, err)
        (self.folder / "damaged/checkpoints/last.h5").write_bytes(b"nothing")
        self.ends(self.train("--resume", "--out", "damaged"), 0, "last.h5.damaged", "nothing to resume")
        self.assertEqual(self.bytes_of("damaged", "checkpoints/last.h5.damaged"), b"nothing")

    def test_a_finished_run_without_checkpoints_is_not_begun_again(self):
        self.ends(self.train("--smoke", "--set", "dataset.kind=digits", "--out", "over"), 0)
        before = self.bytes_of("over", "result.json")
        shutil.rmtree(self.folder / "over/checkpoints")
        again = self.train("--resume", "--out", "over", "--smoke", "--set", "seed=2")
        self.ends(again, 2, "a run that is finished", "--overwrite")
        self.assertEqual(self.bytes_of("over", "result.json"), before)

    def test_a_damaged_last_checkpoint_gives_way_to_the_best(self):
        arguments = ["--smoke", "--set", "dataset.kind=digits"]
        self.ends(self.train(*arguments, "--out", "best"), 0)
        model = self.bytes_of("best", "model.pare")
        (self.folder / "best/checkpoints/last.h5").write_bytes(b"nothing")
        (self.folder / "best/model.pare").unlink()
        self.ends(self.train("--resume", "--out", "best", "--smoke"), 0, "resuming from best/checkpoints/best.h5")
        self.assertEqual(self.bytes_of("best", "model.pare"), model)

    def test_other_data_are_refused(self):
        self.ends(self.train(*TINY, "--smoke", "--out", "other", "-q"), 0)
        finished = self.train("--resume", "--out", "other")  # without --smoke: all images
        self.ends(finished, 3, "was trained on other images")

    def test_time_limit(self):
        finished = self.train(*self.ARGUMENTS, "--out", "limited", "--time-limit", "0.01")
        self.ends(finished, 143, "--resume")
        self.ends(self.train("--resume", "--out", "limited", "--json", "-q"), 0)


if __name__ == "__main__":
    BIN, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
