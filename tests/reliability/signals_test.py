#!/usr/bin/env python3
"""SIGINT and SIGTERM at random moments of a whole run, two signals at once, and a locked folder.

    signals_test.py BIN_FOLDER [unittest arguments]

That no batch passes between a signal and the checkpoint, in training, validation and calibration, is
tested in one process (tests/apps/trainer_test.cpp), where every batch can be reached.
"""

import os
import random
import signal
import sys
import time
import unittest

import runs

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Signals(runs.RunsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        start = time.monotonic()
        code, err = cls.programs.train("whole", "-q")
        cls.seconds = time.monotonic() - start
        assert code == 0, err

    def started(self, out, *arguments):
        """A process that trains: its first checkpoint is there."""
        process = self.programs.start(out, *arguments)
        deadline = time.monotonic() + 120
        while not (self.folder / out / "metrics.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        return process

    def end(self, process):
        _, err = process.communicate(timeout=120)
        return process.returncode, err

    def test_at_random_moments_it_saves_and_goes_on_to_the_same_bytes(self):
        generator = random.Random(1)
        stopped = 0
        for i in range(6):
            out, number = f"run{i}", list(CODES)[i % 2]
            process = self.started(out)
            if i >= 2:  # the first two at once: they cannot be over yet
                time.sleep(generator.uniform(0, self.seconds / 2))
            process.send_signal(number)
            code, err = self.end(process)
            if code != 0:
                self.assertEqual(code, CODES[number], err)
                self.assertIn("./pare train --resume --out", err)
                stopped += 1
            self.is_untorn(out)
            self.assertEqual(self.programs.train(out, "--resume", "-q"), (0, ""))
            self.is_whole(out)
        self.assertGreaterEqual(stopped, 2)

    def test_a_second_signal_stops_at_once(self):
        if self.programs.watched_for_races():
            self.skipTest("ThreadSanitizer may hand the second one over late")
        process = self.started("twice")
        process.send_signal(signal.SIGSTOP)  # so that both arrive together
        for number in (signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        code, err = self.end(process)
        self.assertIn(code, CODES.values())
        self.assertNotIn("to go on from the last checkpoint", err)  # it did not wait for anything
        self.is_untorn("twice")
        self.assertEqual(self.programs.train("twice", "--resume", "-q"), (0, ""))
        self.is_whole("twice")

    def test_a_reader_that_goes_away_does_not_end_the_run(self):
        process = self.programs.start("pipe")
        process.stderr.close()  # SIGPIPE at the next line
        process.wait(timeout=120)
        self.assertEqual(process.returncode, 0)
        self.is_whole("pipe")

    def test_two_processes_never_write_one_folder(self):
        first = self.started("both")
        first.send_signal(signal.SIGSTOP)  # it holds the folder for as long as we like
        code, err = self.programs.train("both", "--resume", "-q")
        first.send_signal(signal.SIGCONT)
        self.assertEqual(code, 1, err)
        self.assertIn("another process is writing it", err)
        self.assertEqual(self.end(first)[0], 0)
        self.is_whole("both")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_read_only_folder_is_refused_before_training(self):
        (self.folder / "locked").mkdir(mode=0o500)
        code, err = self.programs.train("locked/run", "-q")
        self.assertEqual(code, 1, err)
        self.assertIn("cannot be made: Permission denied", err)


if __name__ == "__main__":
    runs.RunsTest.bin_folder = sys.argv[1]
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
