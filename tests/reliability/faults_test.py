#!/usr/bin/env python3
"""Every call that writes a checkpoint fails once, and the process is killed before each of them.

    faults_test.py BIN_FOLDER [unittest arguments]

The faults come from a library in front of the C library (faults.cpp); train knows nothing of them.
"""

import collections
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import unittest

import runs

# What each call may fail with.
REASONS = {"open": ("ENOSPC", "EACCES", "EMFILE"), "write": ("ENOSPC", "EIO", "short", "EINTR"),
           "fsync": ("EIO", "ENOSPC"), "rename": ("EIO", "EROFS"), "close": ("EIO", "EDQUOT")}
HARMLESS = ("short", "EINTR")
CALLS_OF_A_FILE = ["open", "write", "fsync", "close", "rename", "open", "fsync", "close"]


class Faults(runs.RunsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.programs.faults(PARE_FAULT_PATHS="checkpoints", PARE_FAULT_LOG="calls.txt")
        code, err = cls.programs.train("whole", "-q", env=env)
        assert code == 0, err
        lines = (cls.folder / "calls.txt").read_text().splitlines()
        cls.calls = [line.split()[1:] for line in lines]  # call, path
        cls.rows = len(runs.rows_without_times(cls.folder / "whole"))

    def with_fault(self, out, fault, *arguments, paths="checkpoints"):
        env = self.programs.faults(PARE_FAULT_PATHS=paths, PARE_FAULT=fault)
        return self.programs.train(out, *arguments, env=env)

    def sampled(self):
        """Every call of a checkpoint in the middle of the run and of its last one."""
        files = len(self.calls) // len(CALLS_OF_A_FILE)
        chosen = {files // 2, files - 1}
        return [i for i in range(len(self.calls)) if i // len(CALLS_OF_A_FILE) in chosen]


class CheckpointTest(Faults):
    def test_a_file_is_written_synced_renamed_and_its_folder_synced(self):
        self.assertGreater(len(self.calls), 8 * self.rows)
        self.assertEqual(len(self.calls) % len(CALLS_OF_A_FILE), 0)
        for first in range(0, len(self.calls), len(CALLS_OF_A_FILE)):
            part = self.calls[first:first + len(CALLS_OF_A_FILE)]
            self.assertEqual([call for call, _ in part], CALLS_OF_A_FILE)
            temporary, final, folder = part[0][1], part[4][1], part[5][1]
            self.assertIn(".tmp.", temporary)
            self.assertEqual([path for _, path in part], [temporary] * 4 + [final] + [folder] * 3)
            self.assertEqual(pathlib.Path(temporary).parent, pathlib.Path(final).parent)
            self.assertEqual(pathlib.Path(final).parent, pathlib.Path(folder))

    def test_every_call_that_fails_once_costs_nothing_but_a_warning(self):
        counted = collections.Counter()
        for index in self.sampled():
            call, _ = self.calls[index]
            for reason in REASONS[call]:
                with self.subTest(call=call, number=index + 1, reason=reason):
                    out = f"{index}{reason}"
                    code, err = self.with_fault(out, f"{index + 1}-{index + 1}:{reason}", "-q")
                    self.check_end(out, reason, index, code, err)
                    counted[call] += 1
        print("failed once in turn:", dict(counted), file=sys.stderr)

    def check_end(self, out, reason, index, code, err):
        self.is_untorn(out)
        only_the_folder = index % len(CALLS_OF_A_FILE) == len(CALLS_OF_A_FILE) - 1  # its close: all is done
        if reason in HARMLESS or only_the_folder:
            self.assertEqual((code, err), (0, ""))
        else:
            self.assertIn("warning: ", err)
            self.assertIn("cannot write", err)
            self.assertEqual(code, 0, err)  # the last one is tried once more
        self.is_whole(out)

    def test_killed_before_any_call_it_goes_on_to_the_same_bytes(self):
        for index in self.sampled():
            with self.subTest(call=self.calls[index][0], number=index + 1):
                out = f"kill{index}"
                code, _ = self.with_fault(out, f"{index + 1}-{index + 1}:kill", "-q")
                self.assertEqual(code, -signal.SIGKILL)
                self.is_untorn(out)
                self.assertEqual(self.programs.train(out, "--resume", "-q"), (0, ""))
                self.is_whole(out)


class DamageTest(Faults):
    """Of two checkpoints, either may be damaged afterwards."""

    def damage(self, out, name):
        path = self.folder / out / "checkpoints" / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def test_a_damaged_last_gives_way_to_the_best_and_is_written_anew(self):
        shutil.copytree(self.folder / "whole", self.folder / "last")
        self.damage("last", "last.h5")
        code, err = self.programs.train("last", "--resume", "-q")
        self.assertEqual(code, 0, err)
        self.assertIn("last.h5: its checksum is wrong: the file is damaged", err)
        self.is_whole("last")

    def test_a_damaged_best_is_an_error_that_says_what_it_held(self):
        shutil.copytree(self.folder / "whole", self.folder / "best")
        self.damage("best", "best.h5")
        code, err = self.programs.train("best", "--resume", "-q")
        self.assertEqual(code, 3, err)
        self.assertIn("it holds the best network so far", err)


class FullDiskTest(Faults):
    def test_a_disk_that_is_full_for_a_while_does_not_stop_the_run(self):
        a_third = len(self.calls) // 3
        code, err = self.with_fault("while", f"{a_third}-{a_third + 3}:ENOSPC", "-q")
        self.assertEqual(code, 0, err)
        self.assertIn("No space left on device; make room there", err)
        self.assertIn("training goes on", err)
        self.is_whole("while")

    def test_a_disk_that_stays_full_ends_with_1_and_the_last_good_checkpoint(self):
        a_third = len(self.calls) // 3
        code, err = self.with_fault("full", f"{a_third}-999999:ENOSPC", "-q")
        self.assertEqual(code, 1, err)
        self.assertIn("error: the last checkpoint could not be written", err)
        self.assertIn("--resume", err)
        self.is_untorn("full")
        self.is_unfinished("full")
        self.assertEqual(self.programs.train("full", "--resume", "-q"), (0, ""))
        self.is_whole("full")

    def is_unfinished(self, out):
        self.assertFalse((self.folder / out / "result.json").exists())

    def goes_on(self, out):
        self.assertEqual(self.programs.train(out, "--resume", "-q"), (0, ""))
        self.is_whole(out)

    def test_a_run_whose_last_checkpoint_alone_is_missing_is_not_finished(self):
        last = len(self.calls) - len(CALLS_OF_A_FILE) + 1
        code, err = self.with_fault("last", f"{last}-999999:ENOSPC", "-q")
        self.assertEqual(code, 1, err)
        self.assertIn("error: the last checkpoint could not be written", err)
        self.is_unfinished("last")
        self.assertFalse((self.folder / "last/model.pare").exists())
        self.goes_on("last")

    def test_the_result_is_the_last_file_of_a_run(self):
        log = self.folder / "order.txt"
        env = self.programs.faults(PARE_FAULT_PATHS="ordered/", PARE_FAULT_LOG=str(log))
        self.assertEqual(self.programs.train("ordered", "-q", env=env), (0, ""))
        calls = [line.split()[1:] for line in log.read_text().splitlines()]
        renamed = [pathlib.Path(path).name for call, path in calls if call == "rename"]
        self.assertEqual(renamed[-4:], ["model.pare", "report.html", "timing.json", "result.json"])

    def test_a_run_that_ends_before_its_last_file_is_not_finished(self):
        for i, name in enumerate(("model.pare", "report.html", "result.json")):
            with self.subTest(name):
                code, err = self.with_fault(f"fails{i}", "1-1:ENOSPC", "-q", paths=name)
                self.assertEqual(code, 1, err)
                self.assertIn(f"{name}: cannot write", err)
                self.is_unfinished(f"fails{i}")
                self.goes_on(f"fails{i}")
                code, _ = self.with_fault(f"killed{i}", "1-1:kill", "-q", paths=name)
                self.assertEqual(code, -signal.SIGKILL)
                self.is_unfinished(f"killed{i}")
                self.goes_on(f"killed{i}")

    def test_a_page_that_cannot_be_written_hides_no_error(self):
        diverges = ["--set", "optimizer.learning_rate=1e38"]
        for out, code, arguments in (("diverged", 4, diverges), ("stopped", 143, ["--time-limit", "0.01"])):
            with self.subTest(out):
                ended, err = self.with_fault(out, "1-999:ENOSPC", *arguments, paths="report.html")
                self.assertEqual(ended, code, err)
                self.assertIn("report.html: cannot write", err)
                self.is_unfinished(out)

    def test_the_limit_on_the_size_of_files_is_an_error_with_a_message(self):
        def limit(size):
            return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        sizes = [0, 1000, 20000, 40000, 80000, 10**9]
        if self.programs.sanitized():  # ThreadSanitizer writes before main
            sizes.remove(0)
        codes = {}
        for size in sizes:
            codes[size], err = self.programs.train(f"limit{size}", "-q", preexec_fn=limit(size))
            self.is_untorn(f"limit{size}")
            if codes[size] != 0:
                self.assertIn("File too large; raise the limit on the size of files", err)
                self.assertEqual(self.programs.train(f"limit{size}", "--resume", "-q")[0], 0)
            self.is_whole(f"limit{size}")
        self.assertEqual(set(codes.values()), {0, 1}, codes)

    def test_a_standard_output_that_is_full_or_gone_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([self.programs.bin / "train", "--config", runs.CONFIG, "--print-config"],
                                  stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to stdout: No space left on device", done.stderr)

    def test_memory_that_is_not_enough_is_an_error_that_ends_the_process(self):
        if self.programs.sanitized():
            self.skipTest("sanitizers reserve terabytes of addresses")
        codes = []
        for megabytes in (100, 160, 250, 2000):
            out, size = f"memory{megabytes}", megabytes << 20
            code, err = self.programs.train(
                out, "-q", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
            codes.append(code)
            if code == 1:
                self.assertIn("error: out of memory", err)
            if (self.folder / out).exists():
                self.is_untorn(out)
        self.assertEqual((codes[0], codes[-1]), (1, 0), codes)
        self.assertLessEqual(set(codes), {0, 1})


if __name__ == "__main__":
    runs.RunsTest.bin_folder = sys.argv[1]
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
