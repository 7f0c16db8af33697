#!/usr/bin/env python3
"""SIGKILL at random moments: runs of the whole pipeline are killed and resumed until they are done.

    kills.py BIN_FOLDER [--kills N] [--seed S]

After every kill, no file in the run folder is torn; every run ends with the bytes of the run that
nothing interrupted, and without temporary files. Exit code 1 where that is not so.
"""

import argparse
import pathlib
import random
import sys
import tempfile
import time

import runs


class Tally:
    def __init__(self):
        self.kills = self.runs = self.temporary = self.resumed = 0
        self.torn, self.different, self.failed = [], [], []

    def report(self):
        print(f"kills {self.kills} in {self.runs} runs, {self.resumed} of them with a checkpoint to "
              f"resume; torn files {len(self.torn)}; runs with other bytes {len(self.different)}; "
              f"temporary files left by kills {self.temporary}, after the end 0; "
              f"unexpected exits {len(self.failed)}")
        for complaint in [*self.torn, *self.different, *self.failed][:20]:
            print("  " + complaint)
        return not (self.torn or self.different or self.failed)


def kill_after(process, delay):
    """False where the process ended before."""
    deadline = time.monotonic() + delay
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        time.sleep(min(0.002, max(0.0, deadline - time.monotonic())))
    process.kill()
    return process.wait() == -9


def one_run(programs, out, seconds, generator, tally, most):
    """Until it is done; `most` kills at most."""
    run = programs.home / out
    for _ in range(1000):
        process = programs.start(out, "--resume", "-q")
        delay = generator.uniform(0, 1.1 * seconds) if tally.kills < most else 3600
        killed = kill_after(process, delay)
        err = process.stderr.read()
        process.stderr.close()
        tally.torn += [f"after kill {tally.kills}: {c}" for c in runs.torn_files(run)]
        if not killed:
            return process.returncode, err
        tally.kills += 1
        tally.resumed += (run / "checkpoints/last.h5").exists()
        tally.temporary += len(runs.temporary_files(run))
    return 1, "it never ended"


def options_of(kills):
    """The command line of a script that kills, `kills` times where it does not say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = options_of(10)
    generator = random.Random(options.seed)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="pare-kills-") as name:
        programs = runs.Bin(options.bin, name)
        whole = pathlib.Path(name) / "whole"
        start = time.monotonic()
        code, err = programs.train("whole", "-q")
        seconds = time.monotonic() - start
        assert code == 0, err
        while tally.kills < options.kills:
            out = f"run{tally.runs}"
            tally.runs += 1
            code, err = one_run(programs, out, seconds, generator, tally, options.kills)
            if code != 0:
                tally.failed.append(f"{out}: exit code {code}: {err}")
            else:
                tally.different += [f"{out}: {n}" for n in runs.differences(whole.with_name(out), whole)]
                tally.torn += [f"{out}: left over: {p}" for p in runs.temporary_files(whole.with_name(out))]
        return 0 if tally.report() else 1


if __name__ == "__main__":
    sys.exit(main())
