#!/usr/bin/env python3
"""evaluate, inspect, --init-from and --target, as a user starts them.

    apps_test.py BIN_FOLDER SOURCE_FOLDER [unittest arguments]
"""

import json
import pathlib
import sys
import unittest

import programs_test
from programs_test import TINY, ProgramTest

SMALL = [*TINY, "--set", "dataset.limit=1200", "--set", "phases[0].epochs=1", "--set", "dataset.validation=200"]


class WithRun(ProgramTest):
    """One trained run for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        finished = cls.train(*SMALL, "--out", "run", "-q")
        assert finished.code == 0, finished.err

    def program(self, name, *arguments):
        return self.run_program(name, *arguments)

    def document(self, name, *arguments):
        finished = self.program(name, *arguments, "--json")
        self.ends(finished, 0)
        return json.loads(finished.out)


# A Python with a PyTorch that takes 1 ms a step, and says of itself what its environment's VERSION file holds.
FAKE_PYTORCH = """#!/bin/sh
printf 'ready %s\\n' "$(cat "${0%/bin/python3}/VERSION")"
while read -r seconds; do echo 0.001 0.001 0.001; done
"""


class BenchTest(ProgramTest):
    def document(self, *arguments):
        finished = self.run_program("bench", *arguments, "--threads", "1", "--seconds", "0.02", "--json")
        self.ends(finished, 0)
        return json.loads(finished.out)

    def rows(self, *arguments):
        return self.document(*arguments)["rows"]

    def test_two_builds_take_turns_in_both_modes(self):
        build = str(programs_test.BIN.parent)
        rows = self.rows("train", "--net", "N1", "--batch", "8", "--against", build)
        self.assertEqual([(r["mode"], r["peer_name"]) for r in rows],
                         [("fp32", build), ("qat", build), ("qat", "our own fp32")])
        for row in rows:
            self.assertGreater(row["ours"], 0)
            self.assertAlmostEqual(row["ratio"], row["ours"] / row["peer"], places=4)

    def make_pytorch(self, folder, ready):
        environment = self.folder / folder
        (environment / "lib/python3/site-packages/torch").mkdir(parents=True)
        (environment / "bin").mkdir()
        (environment / "VERSION").write_text(ready)
        python = environment / "bin/python3"
        python.write_text(FAKE_PYTORCH)
        python.chmod(0o755)

    def test_every_pytorch_is_a_column(self):
        details = {"setup": "2 threads, BLAS slow", "untuned": ["its BLAS is slow, not MKL, OpenBLAS or BLIS"]}
        self.make_pytorch("peers/a", "torch 9.1\t" + json.dumps(details))
        self.make_pytorch("peers/b", "torch 9.2\t" + json.dumps({"setup": "2 threads, BLAS fast", "untuned": []}))
        self.make_pytorch("peers/c", "torch 9.2")
        command = ["bench", "train", "--net", "N1", "--batch", "8", "--threads", "1", "--mode", "fp32", "--seconds", "0.02"]
        peers = self.folder / "peers"
        finished = self.run_program(*command, "--json", peers=peers)
        self.ends(finished, 0)
        rows = {row["peer_name"]: row for row in json.loads(finished.out)["rows"]}
        for name in ("torch 9.1", "torch 9.2", "torch 9.2 #2"):
            self.assertEqual(rows[name]["peer"], 8000)
        self.assertEqual(rows["torch 9.1"]["peer_details"], details)
        self.assertNotIn("peer_details", rows["torch 9.2 #2"])
        self.assertIn("torch 9.1 (" + str(self.folder / "peers/a"), finished.err)
        self.assertNotIn("torch 9.2 (", finished.err)

        text = self.run_program(*command, peers=peers)
        names, heads, figures = text.out.splitlines()[:3]
        self.assertEqual(names.index("torch 9.2 #2") - names.index("torch 9.2 "), names.index("torch 9.2 ") - names.index("torch 9.1"))
        self.assertEqual(figures.count("8000.0"), 3)
        self.assertEqual(heads.count("|"), figures.count("|"))
        self.assertIn("torch 9.2: 2 threads, BLAS fast", text.out)
        self.assertIn("torch 9.1 is NOT TUNED: its BLAS is slow", text.out)

    def test_an_untuned_pytorch_is_noticed(self):
        sys.path.insert(0, str(programs_test.SOURCE / "benchmarks/peers"))
        import torch_setup
        tuned = {"threads": 2, "wanted_threads": 2, "blas": "/lib/openblas-openmp/libopenblas.so", "onednn": "2.6.3",
                 "vectors": "AVX512", "avx512": True, "keeps_memory": True, "coretype": None}
        for same in ({}, {"blas": "MKL 2024.2"}, {"vectors": "AVX2", "avx512": False}):
            self.assertEqual(torch_setup.untuned({**tuned, **same}), [])
        for key, value, said in (("threads", 1, "1 threads, not 2"), ("onednn", None, "without oneDNN"),
                                 ("blas", "/lib/libblas.so.3", "libblas.so.3, not MKL"), ("blas", None, "not known"),
                                 ("blas", "/lib/openblas-pthread/libopenblas.so", "spin"), ("vectors", "AVX2", "AVX-512"),
                                 ("coretype", "Haswell", "Haswell holds OpenBLAS back"), ("keeps_memory", False, "page faults")):
            reasons = torch_setup.untuned({**tuned, key: value})
            self.assertEqual(len(reasons), 1, key)
            self.assertIn(said, reasons[0])

    def test_scaling_has_batches_widths_and_threads(self):
        finished = self.run_program("bench", "train", "--scaling", "--net", "N1", "--batch", "8", "--threads", "2",
                                    "--seconds", "0.02", "--json")
        self.ends(finished, 0)
        rows = json.loads(finished.out)["rows"]
        points = [(batch, 1) for batch in (16, 32, 64, 128, 256)] + [(8, 2), (8, 4)]
        self.assertEqual([(r["batch"], r["width"], r["threads"]) for r in rows],
                         [(*point, threads) for point in points for threads in (1, 2)])
        for one, two in zip(rows[::2], rows[1::2]):
            self.assertEqual(one["efficiency"], 1)
            self.assertAlmostEqual(two["efficiency"], two["updates"] / one["updates"] / 2)
            for row in (one, two):
                self.assertAlmostEqual(row["images"], row["updates"] * row["batch"])
        self.ends(self.run_program("bench", "train", "--scaling", "--against", "."), 2, "without --against")

    def test_kernels_are_measured_against_the_roof(self):
        # A wide bound, for units that are wrong: the roof itself is measured, perhaps beside other work.
        for row in self.rows("kernels", "--kernel", "784 -> 300, B64 dw"):
            self.assertEqual(row["unit"], "GFLOP/s")
            self.assertTrue(0 < row["ratio"] < 10, row)
            self.assertAlmostEqual(row["ours"], 1e-3 * row["flops"] / row["us"])
        for row in self.rows("kernels", "--kernel", "adam, 128x5408"):
            self.assertEqual((row["unit"], row["flops"]), ("GB/s", None))
            self.assertTrue(row["peer_name"].startswith("roof: copy"), row)
            self.assertAlmostEqual(row["ours"], 1e-3 * row["bytes"] / row["us"])

    def test_every_layer_of_the_networks_runs_in_the_best_vector_kernels(self):
        networks = self.document("infer", "--batch", "1")["networks"]
        kernels = {f"{n['net']} {layer['layer']}": layer["kernel"] for n in networks for layer in n["layers"]}
        self.assertEqual({name: k for name, k in kernels.items() if "reference" in k}, {})
        self.assertEqual([(n["net"], len(n["layers"])) for n in networks],
                         [("N1", 3), ("N2", 3), ("N3", 4), ("N4", 4), ("N5", 32)])
        # "conv2d, avx2 in tiles of 8 channels": one set for all; "portable" only where the processor has no other.
        self.assertEqual(len({k.split(", ")[1].split()[0] for k in kernels.values()}), 1, kernels)

    def test_layers_have_their_times_in_the_document(self):
        network, = self.document("infer", "--net", "N2", "--batch", "64", "--layers")["networks"]
        self.assertEqual(network["images"], 16)
        for layer in network["layers"]:
            self.assertGreater(layer["us"], 0)
            self.assertGreater(layer["gmacs"], 0)

    def test_what_does_not_exist_is_named(self):
        self.ends(self.run_program("bench", "train", "--net", "N9"), 2, "N9")
        self.ends(self.run_program("bench", "kernels", "--kernel", "no such"), 2, "no kernel's name contains it")
        missing = self.run_program("bench", "train", "--net", "N1", "--batch", "8", "--threads", "1", "--mode", "fp32",
                                   "--seconds", "0.02", "--against", str(self.folder))
        self.ends(missing, 0, "did not start")
        self.assertIn("no peer", missing.out)


class EvaluateTest(WithRun):
    def test_a_run_gives_the_accuracies_of_its_result(self):
        result, e = self.result("run"), self.document("evaluate", "run")
        for column in ("float", "fake_quant", "integer"):
            self.assertEqual(e["accuracy"][column]["value"], result["accuracy"][column])
            low, high = e["accuracy"][column]["interval"]
            self.assertTrue(low < e["accuracy"][column]["value"] < high)
        self.assertEqual(sum(map(sum, e["confusion"]["counts"])), result["dataset"]["test"])
        self.assertEqual(sum(row["images"] for row in e["per_class"]), result["dataset"]["test"])
        self.assertGreater(e["latency_us"]["p99"], 0)
        text = self.program("evaluate", "run")
        self.ends(text, 0)
        for part in ("fake_quant", "Wilson", "confusion of the integer column", "run/model.pare"):
            self.assertIn(part, text.out)

    def test_a_checkpoint_and_a_model_alone_agree_with_the_run(self):
        run = self.document("evaluate", "run")["accuracy"]["integer"]
        self.assertEqual(self.document("evaluate", "run/checkpoints/best.h5")["accuracy"]["integer"], run)
        alone = self.document("evaluate", "run/model.pare")
        self.assertEqual(alone["accuracy"], {"float": None, "fake_quant": None, "integer": run})
        moved = self.folder / "moved.pare"
        moved.write_bytes(self.bytes_of("run", "model.pare"))
        self.ends(self.program("evaluate", "moved.pare"), 2, "--dataset mnist")
        self.ends(self.program("evaluate", "moved.pare", "--dataset", "digits"), 0)
        self.ends(self.program("evaluate", "moved.pare", "--dataset", "digit"), 2, "did you mean 'digits'?")

    def test_the_validation_images_are_another_split(self):
        e = self.document("evaluate", "run", "--split", "validation")
        self.assertEqual(e["dataset"]["images"], 200)
        rows = [json.loads(line) for line in (self.folder / "run/metrics.jsonl").read_text().splitlines()]
        self.assertEqual(e["accuracy"]["float"]["value"], rows[0]["validation"])
        self.assertEqual(e["accuracy"]["fake_quant"]["value"], rows[-1]["validation"])
        self.ends(self.program("evaluate", "run", "--split", "train"), 2, "--split")

    def test_a_model_of_another_run_is_noticed(self):
        self.ends(self.train(*SMALL, "--set", "seed=2", "--out", "other", "-q"), 0)
        model = self.folder / "other/model.pare"
        model.write_bytes(self.bytes_of("run", "model.pare"))
        self.ends(self.program("evaluate", "other"), 5, "is not what", "lowers to")

    def test_what_is_none_of_the_three_is_said(self):
        self.ends(self.program("evaluate", "run/metrics.csv"), 3, "it looks like text")
        self.ends(self.program("evaluate", "document_cnn.json"), 3, "is a config")
        self.ends(self.program("evaluate", "nothing"), 3, "there is no such file or folder")
        self.ends(self.program("evaluate"), 2, "--help")
        self.ends(self.program("evaluate", "run", "--spilt", "test"), 2, "did you mean '--split'?")
        (self.folder / "cut.h5").write_bytes(self.bytes_of("run", "checkpoints/last.h5")[:-100])
        self.ends(self.program("evaluate", "cut.h5"), 3, "cut.h5")


class InspectTest(WithRun):
    def test_the_sections_of_a_model_add_up_to_its_bytes(self):
        d = self.document("inspect", "run/model.pare")
        size = len(self.bytes_of("run", "model.pare"))
        self.assertEqual(sum(section["bytes"] for section in d["sections"]), size)
        self.assertEqual(d["bytes"], size)
        self.assertIn("28 x 28 x 1", self.program("inspect", "run/model.pare", "--tree").out)

    def test_run_checkpoint_and_config(self):
        run = self.document("inspect", "run")
        self.assertEqual(run["result"], self.result("run"))
        self.assertIn("fake_quant", self.program("inspect", "run").out)
        checkpoint = self.document("inspect", "run/checkpoints/last.h5")
        self.assertEqual(checkpoint["chains"]["dense_1.weight"][0]["kind"], "fake_quant")
        config = self.document("inspect", "document_cnn.json")
        self.assertEqual(config["network"]["parameters"], 693962)
        self.ends(self.program("inspect", "run", "--techniques"), 2)
        self.ends(self.program("inspect"), 2, "--techniques")
        self.assertIn("magnitude", self.program("inspect", "--techniques").out)

    def test_the_difference_of_two_runs(self):
        self.ends(self.train(*SMALL, "--set", "seed=7", "--out", "seven", "-q"), 0)
        d = self.document("inspect", "run", "seven")
        self.assertEqual(d["keys"], [{"path": "seed", "a": 1, "b": 7}])
        self.assertEqual([layer["name"] for layer in d["layers"]], ["conv2d_1", "dense_1", "dense_2"])
        self.assertIn("accuracy/integer", self.program("inspect", "run", "seven").out)
        self.ends(self.program("inspect", "run", "run/model.pare"), 2, "expected two of one kind")


class InitFromTest(WithRun):
    def test_a_run_that_only_quantizes_starts_at_the_other_ones_weights(self):
        quantize = ["--set", "phases=[{\"name\": \"q\", \"epochs\": 0, \"apply\": [\"int8\"]}]"]
        finished = self.train(*SMALL, *quantize, "--init-from", "run/checkpoints/best.h5", "--out", "ptq")
        self.ends(finished, 0, "first weights from run/checkpoints/best.h5 (a checkpoint): 693962 values",
                  "conv2d_1.weight")
        self.assertGreater(self.result("ptq")["accuracy"]["float"], 0.3)  # of the loaded network
        drawn = self.train(*SMALL, *quantize, "--out", "drawn")
        self.ends(drawn, 0)
        self.assertIsNone(self.result("drawn")["accuracy"]["float"])

    def test_a_file_that_does_not_fit_is_refused_before_anything_is_written(self):
        other = self.train(*SMALL, "--set", "model[3].units=64", "--init-from", "run/checkpoints/best.h5",
                           "--out", "refused")
        self.ends(other, 2, "'dense_1.bias': expected the shape [64], got [128]")
        self.assertFalse((self.folder / "refused").exists())
        self.ends(self.train(*SMALL, "--init-from", "run/config.json", "--out", "refused"), 3, "it is none of them")

    def test_a_resumed_run_needs_the_file_no_more_and_refuses_another(self):
        arguments = [*SMALL, "--out", "stopped"]
        self.ends(self.train(*arguments, "--init-from", "run/checkpoints/best.h5", "--time-limit", "0.01"), 143)
        self.ends(self.train(*TINY, "--smoke", "--out", "other", "-q"), 0)
        self.ends(self.train(*arguments, "--resume", "--init-from", "other/checkpoints/last.h5"), 2,
                  "did not begin with the weights of")
        self.ends(self.train(*arguments, "--resume"), 0, "resuming")


class TargetTest(ProgramTest):
    def test_the_exit_code_says_whether_it_fits(self):
        fits = self.train(*TINY, "--plan", "--target", "flash=1M,ram=64k")
        self.ends(fits, 0)
        self.assertIn("fits", fits.out)
        tight = self.train(*TINY, "--plan", "--target", "flash=64k,ram=8k", "--json")
        self.ends(tight, 2, "does not fit")
        plan = json.loads(tight.out)
        self.assertFalse(plan["fits"])
        self.assertEqual(plan["macs"], 888192)
        self.assertEqual(plan["flash"]["target"], 65536)
        self.ends(self.train(*TINY, "--plan", "--target", "flash=big"), 2, "'big' is no amount")
        self.ends(self.train(*TINY, "--target", "flash=1M"), 2, "--plan")


if __name__ == "__main__":
    programs_test.BIN, programs_test.SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
