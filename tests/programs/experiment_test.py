#!/usr/bin/env python3
"""`experiment` as a user starts it: resuming, killing, failing, and what it leaves behind.

    experiment_test.py BIN_FOLDER SOURCE_FOLDER [unittest arguments]

Runs are --smoke runs of a tiny network on random images: nothing here looks at accuracy.
"""

import csv
import fcntl
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time
import unittest

import programs_test
from programs_test import ProgramTest, write_idx

BASE = {
    "dataset": {"kind": "idx", "folder": "data", "validation": 64},
    "model": [{"kind": "flatten"}, {"kind": "dense", "units": 10}],
    "compression": {"prune": {"kind": "prune", "sparsity": 0.5}, "int8": {"kind": "quantize"}},
    "phases": [
        {"name": "dense", "epochs": 1},
        {"name": "prune", "epochs": 1, "apply": ["prune"]},
        {"name": "quantize", "epochs": 1, "apply": ["int8"]},
    ],
}
AXES = {
    "compression.int8.weights.bits": [8, 4],
    "pruned": [{"label": "half", "set": {"compression.prune.sparsity": 0.5}},
               {"label": "most", "set": {"compression.prune.sparsity": 0.9}}],
}
HEADER = ["run", *AXES, "seed", "dense", "dataset", "accuracy.float", "accuracy.fake_quant",
          "accuracy.integer", "sparsity", "bytes.model", "macs", "effective_macs", "bops"]


class ExperimentTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "data").mkdir()
        generator = random.Random(1)
        for prefix, count in (("train", 600), ("t10k", 100)):
            write_idx(cls.folder / f"data/{prefix}-images-idx3-ubyte", [count, 28, 28], generator.randbytes(count * 784))
            write_idx(cls.folder / f"data/{prefix}-labels-idx1-ubyte", [count], [i % 10 for i in range(count)])

    def setUp(self):
        (self.folder / "base.json").write_text(json.dumps(BASE))
        self.question("grid", axes=AXES, seeds=[1, 2])

    def question(self, name, dense=False, **keys):
        """dense: with plain training beside the cells."""
        keys = {"base": "base.json", "report": {"dense": dense}, **keys}
        (self.folder / f"{name}.json").write_text(json.dumps(keys))

    def experiment(self, name, out, *arguments):
        return self.run_program("experiment", "--config", f"{name}.json", "--out", out, *arguments)

    def rows(self, out):
        with open(self.folder / out / "results.csv", newline="") as file:
            return list(csv.DictReader(file))

    def test_plain_training_stands_beside_what_compresses(self):
        self.question("beside", dense=True, seeds=[1, 2])
        self.ends(self.experiment("beside", "beside", "--smoke"), 0, "4 of 4 runs finished")
        self.assertIn("| dense, same total budget | 2 |", (self.folder / "beside/results.md").read_text())
        self.assertEqual(len((self.folder / "beside/dense.csv").read_text().splitlines()), 3)

    def test_runs_on_other_images_under_the_same_name_are_not_compared(self):
        self.question("images", axes=AXES, seeds=[1])
        self.ends(self.experiment("images", "here", "--shard", "1/2"), 0, "2 of 4 runs finished")
        labels = self.folder / "data/train-labels-idx1-ubyte"
        before = labels.read_bytes()
        labels.write_bytes(before[:-1] + bytes([(before[-1] + 1) % 10]))
        try:
            self.ends(self.experiment("images", "there", "--shard", "2/2"), 0, "2 of 4 runs finished")
        finally:
            labels.write_bytes(before)
        collected = self.experiment("images", "both", "--collect", "here", "--collect", "there")
        self.ends(collected, 1, "were trained on different images under one name")
        self.assertFalse(list(self.folder.glob("both/runs/*/result.json")))

    def test_cells_that_differ_in_a_null_switch_are_named_before_they_are_trained(self):
        self.question("null", seeds=[1], set={"compression.int8.weights.observe": "dense"},
                      axes={"composition": ["mask_then_quantize", "quantize_then_mask"]})
        dry = self.experiment("null", "null", "--dry-run")
        self.ends(dry, 0)
        self.assertIn("2 cells differ only in what has no effect: composition:", dry.out)

    def test_a_grid_is_run_once_and_shown_in_tables(self):
        finished = self.experiment("grid", "grid", "--smoke", "--json")
        self.ends(finished, 0, "8 of 8 runs finished")
        rows = self.rows("grid")
        self.assertEqual(list(rows[0]), HEADER)
        self.assertEqual([(r["compression.int8.weights.bits"], r["pruned"], r["seed"]) for r in rows][:3],
                         [("8", "half", "1"), ("8", "half", "2"), ("8", "most", "1")])
        for row in rows:
            result = self.result(f"grid/runs/{row['run']}")
            self.assertEqual(float(row["accuracy.integer"]), result["accuracy"]["integer"])
            self.assertEqual(int(row["bops"]), result["bops"])
            self.assertEqual(result["seed"], int(row["seed"]))
        self.assertGreater(len({row["bytes.model"] for row in rows}), 1)
        printed = json.loads(finished.out)
        self.assertEqual(printed["runs"], {"all": 8, "finished": 8, "failed": 0})
        self.assertEqual([row["run"] for row in printed["rows"]], [row["run"] for row in rows])
        self.assertIn("--smoke", (self.folder / "grid/results.md").read_text())

        before = {path: path.stat().st_mtime_ns for path in self.folder.glob("grid/runs/*/result.json")}
        self.ends(self.experiment("grid", "grid", "--smoke"), 0, "(8 finished)")
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in before})

    def test_a_dry_run_lists_the_runs_and_writes_nothing(self):
        finished = self.experiment("grid", "dry", "--dry-run")
        self.ends(finished, 0)
        self.assertIn("4 cells, 8 rows, 8 runs (0 finished)", finished.out)
        self.assertEqual(len(re.findall(r"to do(?!:)", finished.out)), 8)
        self.assertFalse((self.folder / "dry").exists())

    def test_the_number_of_jobs_changes_no_byte(self):
        self.ends(self.experiment("grid", "one", "--smoke", "--jobs", "1"), 0)
        self.ends(self.experiment("grid", "three", "--smoke", "--jobs", "3"), 0)
        self.assertEqual(self.bytes_of("one/results.csv"), self.bytes_of("three/results.csv"))

    def start(self, name, out):
        return subprocess.Popen([programs_test.BIN / "experiment", "--config", f"{name}.json", "--out", out,
                                 "--smoke"], cwd=self.folder, env=self.environment(), stderr=subprocess.PIPE,
                                text=True)

    def test_killed_at_random_it_ends_with_the_same_bytes(self):
        self.question("grid", axes=AXES, seeds=[1, 2], share="dense")
        self.ends(self.experiment("grid", "whole", "--smoke"), 0)
        generator = random.Random(7)
        signals = (signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
        for kill in range(4):
            number = signals[kill % len(signals)]
            process = self.start("grid", "killed")
            time.sleep(generator.uniform(0.05, 0.5))
            process.send_signal(number)
            _, err = process.communicate(timeout=120)
            self.assertIn(process.returncode, (0, 128 + number, -number), err)
            if process.returncode == 128 + number:
                self.assertIn("goes on where this one ended", err)
        self.ends(self.experiment("grid", "killed", "--smoke"), 0, "8 of 8 runs finished")
        self.assertEqual(self.bytes_of("killed/results.csv"), self.bytes_of("whole/results.csv"))

    def test_a_failed_run_is_recorded_and_the_others_go_on(self):
        self.question("bad", axes={"optimizer.learning_rate": [0.001, 1e38]}, seeds=[1, 2])
        finished = self.experiment("bad", "bad", "--smoke")
        self.ends(finished, 4, "failed (exit code 4)", "2 of 4 runs finished")
        self.assertEqual(len(self.rows("bad")), 2)
        self.assertIn("exit code 4", (self.folder / "bad/results.md").read_text())
        self.ends(self.experiment("bad", "bad", "--smoke"), 4, "(2 finished)")

    def test_a_run_that_no_axis_touches_is_shared(self):
        self.question("shared", seeds=[1], axes={
            "compression.int8.weights.bits": [8, 4],
            "quantize": [{"label": "yes", "set": {}}, {"label": "no", "set": {"phases": BASE["phases"][:1]}}]})
        self.ends(self.experiment("shared", "shared", "--smoke"), 0, "3 of 3 runs finished")
        rows = self.rows("shared")
        self.assertEqual(len(rows), 4)
        self.assertEqual(rows[1]["run"], rows[3]["run"])
        self.assertIn("quantized after training", (self.folder / "shared/results.md").read_text())

    def test_a_shared_beginning_changes_no_byte(self):
        self.question("apart", axes=AXES, seeds=[1, 2])
        self.question("together", axes=AXES, seeds=[1, 2], share="phases", keep_checkpoints=False)
        self.ends(self.experiment("apart", "apart", "--smoke"), 0)
        finished = self.experiment("together", "together", "--smoke")
        self.ends(finished, 0, "the beginning 'dense' of seed 2", "the beginning 'dense, prune' of seed 2",
                  "8 of 8 runs finished")
        self.assertEqual(self.bytes_of("apart/results.csv"), self.bytes_of("together/results.csv"))
        self.assertEqual(len(list(self.folder.glob("together/shared/*"))), 6)
        for run in self.folder.glob("together/runs/*"):
            self.assertEqual((run / "model.pare").read_bytes(),
                             (self.folder / "apart/runs" / run.name / "model.pare").read_bytes())
            self.assertFalse((run / "checkpoints").exists())

    def test_a_beginning_that_fails_is_the_failure_of_its_runs(self):
        self.question("nan", axes=AXES, seeds=[1], share="dense", set={"optimizer.learning_rate": 1e38})
        finished = self.experiment("nan", "nan", "--smoke")
        self.ends(finished, 4, "the beginning 'dense' of seed 1 (", "0 of 4 runs finished")
        self.assertEqual(len(list(self.folder.glob("nan/runs/*/log.txt"))), 0)

    def test_shards_and_collect_make_the_whole(self):
        self.ends(self.experiment("grid", "whole2", "--smoke"), 0)
        for part in ("1/3", "2/3", "3/3"):
            self.ends(self.experiment("grid", f"part{part[0]}", "--smoke", "--shard", part), 0)
        merged = self.experiment("grid", "merged", "--smoke", "--collect", "part1", "--collect", "part2",
                                 "--collect", "part3")
        self.ends(merged, 0, "8 of 8 runs finished")
        self.assertEqual(self.bytes_of("merged/results.csv"), self.bytes_of("whole2/results.csv"))
        self.ends(self.experiment("grid", "x", "--shard", "4/3"), 2, "expected I/N")
        script = self.experiment("grid", "merged", "--emit-slurm", "--tasks", "3")
        self.assertIn("#SBATCH --array=1-3", script.out)

    def test_a_time_limit_ends_a_slice(self):
        limited = self.experiment("grid", "slices", "--smoke", "--jobs", "1", "--time-limit", "0.05")
        self.ends(limited, 143, "goes on where this one ended")
        self.ends(self.experiment("grid", "slices", "--smoke"), 0, "8 of 8 runs finished")
        self.ends(self.experiment("grid", "whole3", "--smoke"), 0)
        self.assertEqual(self.bytes_of("slices/results.csv"), self.bytes_of("whole3/results.csv"))

    def test_two_experiments_do_not_write_one_folder(self):
        process = self.start("grid", "twice")
        while not (self.folder / "twice/runs").exists():
            time.sleep(0.01)
        time.sleep(0.05)
        self.ends(self.experiment("grid", "twice", "--smoke"), 1, "another experiment is writing it")
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0)

    def test_temporary_files_of_a_killed_experiment_go_and_others_stay(self):
        ours, running = ".results.csv.tmp.99999999", f".results.md.tmp.{os.getpid()}"
        kept = (".notes.tmp.bak", ".results.csv.tmp.bak", ".mine.csv.tmp.99999999", running)
        self.ends(self.experiment("grid", "left", "--smoke", "--shard", "1/8"), 0)
        for name in (ours, *kept):
            (self.folder / "left" / name).write_text("half")
        self.ends(self.experiment("grid", "left", "--smoke", "--shard", "1/8"), 0)
        self.assertTrue((self.folder / "left" / ours).exists())  # perhaps another machine's
        self.ends(self.experiment("grid", "left", "--smoke"), 0)
        self.assertFalse((self.folder / "left" / ours).exists())
        for name in kept:
            self.assertTrue((self.folder / "left" / name).exists(), name)

    def test_whoever_starts_it_may_ignore_the_end_of_processes(self):
        self.question("one", seeds=[1])
        process = subprocess.run(
            [programs_test.BIN / "experiment", "--config", "one.json", "--out", "one", "--smoke"], cwd=self.folder,
            env=self.environment(), capture_output=True, text=True, check=False,
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_tables_that_cannot_be_written_end_nothing_but_the_end(self):
        (self.folder / "notables/results.md").mkdir(parents=True)
        limited = self.experiment("grid", "notables", "--smoke", "--jobs", "1", "--time-limit", "0.05")
        self.ends(limited, 143, "warning: ", "results.md: cannot write", "goes on where this one ended")
        self.ends(self.experiment("grid", "notables", "--smoke"), 1, "results.md: cannot write")
        self.assertEqual(len(list(self.folder.glob("notables/runs/*/result.json"))), 8)

    def test_a_failure_that_cannot_be_recorded_ends_no_other_run(self):
        self.question("worse", axes={"optimizer.learning_rate": [1e38, 0.001]}, seeds=[1])
        plan = json.loads(self.experiment("worse", "worse", "--smoke", "--dry-run", "--json").out)
        for row in plan["rows"]:
            (self.folder / "worse/runs" / row["run"] / "failed.json/x").mkdir(parents=True)
        finished = self.experiment("worse", "worse", "--smoke", "--jobs", "1")
        self.ends(finished, 1, "failed (exit code 4)", "failed.json: cannot write", "1 runs failed")
        self.assertEqual(len(self.rows("worse")), 1)

    def test_a_run_that_cannot_be_started_ends_no_other_run(self):
        self.question("blocked", axes={"optimizer.learning_rate": [0.01, 0.001]}, seeds=[1])
        plan = json.loads(self.experiment("blocked", "blocked", "--smoke", "--dry-run", "--json").out)
        (self.folder / "blocked/runs" / plan["rows"][0]["run"] / "config.json/x").mkdir(parents=True)
        finished = self.experiment("blocked", "blocked", "--smoke", "--jobs", "1")
        self.ends(finished, 1, "config.json: cannot write", "1 of 2 runs finished")
        self.assertEqual(len(self.rows("blocked")), 1)

    def test_a_signal_ends_the_wait_for_runs_of_an_earlier_one(self):
        (self.folder / "waits").mkdir()
        with open(self.folder / "waits/.lock-runs", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = self.start("grid", "waits")
            deadline = time.monotonic() + 60
            while not (self.folder / "waits/runs").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143, err)

    def test_collect_leaves_a_run_that_is_at_work(self):
        self.ends(self.experiment("grid", "from", "--smoke"), 0)
        run = next((self.folder / "from/runs").iterdir()).name
        at_work = self.folder / "into/runs" / run
        at_work.mkdir(parents=True)
        (at_work / "log.txt").write_text("mine")
        folder = os.open(at_work, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        self.ends(self.experiment("grid", "into", "--smoke", "--collect", "from"), 0,
                  "another process is writing it", "7 runs taken")
        self.assertEqual((at_work / "log.txt").read_text(), "mine")
        os.close(folder)
        self.ends(self.experiment("grid", "into", "--smoke", "--collect", "from"), 0, "1 runs taken")

    def test_a_run_of_another_process_is_left_to_it(self):
        plan = json.loads(self.experiment("grid", "beside", "--smoke", "--dry-run", "--json").out)
        run = self.folder / "beside/runs" / plan["rows"][0]["run"]
        run.mkdir(parents=True)
        folder = os.open(run, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        self.ends(self.experiment("grid", "beside", "--smoke"), 0, "is trained by another process", "7 of 8 runs")
        self.assertEqual(list(run.iterdir()), [])
        os.close(folder)
        self.ends(self.experiment("grid", "beside", "--smoke"), 0, "8 of 8 runs finished")

    def test_all_runs_are_on_the_data_set_that_is_named(self):
        base = {**BASE, "dataset": {"kind": "cifar10", "fallback": "digits", "validation": 64}}
        (self.folder / "fallback.json").write_text(json.dumps(base))
        self.question("unfound", base="fallback.json", seeds=[1])
        missing = self.experiment("unfound", "fallen")
        self.ends(missing, 3, "data set 'cifar10'", "./pare fetch cifar10", "no dataset.fallback")
        self.assertFalse(list(self.folder.glob("fallen/runs/*")))
        self.ends(self.experiment("unfound", "fallen", "--smoke"), 0, "1 of 1 runs finished")
        hashes = [json.loads(self.experiment("unfound", "fallen", "--dry-run", "--json", *smoke).out)["rows"][0]["run"]
                  for smoke in ((), ("--smoke",))]
        (self.folder / "fallen/runs" / hashes[1]).rename(self.folder / "fallen/runs" / hashes[0])
        self.ends(self.experiment("unfound", "fallen"), 1, 'on "digits" instead of "cifar10"')

    def test_smoke_runs_have_a_folder_of_their_own(self):
        self.question("short", seeds=[1])
        self.ends(self.run_program("experiment", "--config", "short.json", "--smoke"), 0, "runs/short.smoke/results.md")
        self.assertFalse((self.folder / "runs/short").exists())

    def test_mistakes_end_before_the_first_run(self):
        self.question("typo", axes={"compression.int8.weights.bit": [8]})
        self.ends(self.experiment("typo", "typo"), 2, "did you mean 'bits'?", "in the cell")
        self.assertFalse((self.folder / "typo").exists())
        self.ends(self.run_program("experiment", "--config", "nowhere.json"), 2, "not found")
        self.ends(self.run_program("experiment"), 2, "--config")
        self.ends(self.run_program("experiment", "--confg", "x"), 2, "did you mean '--config'?")

    def test_shipped_experiments_run(self):
        """Some runs of each: the largest has a thousand."""
        for config in sorted((programs_test.SOURCE / "configs/experiments").glob("*.json")):
            with self.subTest(config.name):
                arguments = ["experiment", "--config", config.name, "--smoke", "--set"]
                if config.name == "document_table.json":  # its schedules count steps of all images
                    arguments.append("dataset.kind=digits")
                else:
                    arguments += ["dataset.kind=idx", "--set", "dataset.folder=data", "--set",
                                  "dataset.validation=64"]
                plan = json.loads(self.run_program(*arguments, "--dry-run", "--json").out)
                shards = max(1, plan["runs"]["all"] // 2)
                finished = self.run_program(*arguments, "--shard", f"{shards}/{shards}")
                self.ends(finished, 0, "runs finished")


if __name__ == "__main__":
    programs_test.BIN, programs_test.SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
