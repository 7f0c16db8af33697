#!/usr/bin/env python3
"""SIGKILL at random moments: an experiment is killed and started again until it is done.

    experiment_kills.py BIN_FOLDER [--kills N] [--seed S]

Every second kill takes the runs at work along. Every experiment ends with the results.csv, and each
of its runs with the model, of the one that nothing interrupted. Exit code 1 where that is not so.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import runs
from kills import kill_after, options_of

QUESTION = {
    "base": str(runs.CONFIG),
    "set": {"report.telemetry": 0},  # with it, only dense beginnings are shared
    "axes": {"phases[3].optimizer.learning_rate": [0.001, 0.002], "compression.int8.weights.bits": [8, 3],
             "compression.prune.sparsity.to": [0.5, 0.9]},
    "seeds": [1, 2],
    "share": "phases",
}


def children(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def kill(process, delay, with_runs):
    """False where the experiment ended before."""
    if with_runs:
        time.sleep(delay)
        for child in children(process.pid):
            subprocess.run(["kill", "-9", str(child)], stderr=subprocess.DEVNULL, check=False)
        delay = 0
    return kill_after(process, delay)


class Experiments:
    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        (folder / "question.json").write_text(json.dumps(QUESTION))

    def start(self, out):
        command = [self.programs.bin / "experiment", "--config", "question.json", "--out", out, "--jobs", "2"]
        return subprocess.Popen(command, cwd=self.folder, env=self.programs.environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def ends(self, out):
        """The bytes that must be equal, by name."""
        folder = self.folder / out
        names = ["results.csv", *(p.relative_to(folder) for p in sorted(folder.glob("runs/*/model.pare")))]
        return {str(name): (folder / name).read_bytes() for name in names}


def main():
    options = options_of(4)
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="pare-kills-") as name:
        experiments = Experiments(runs.Bin(options.bin, name), pathlib.Path(name))
        start = time.monotonic()
        assert experiments.start("whole").wait() == 0
        seconds = time.monotonic() - start
        whole = experiments.ends("whole")
        kills = unfinished = done = 0
        different = []
        while kills < options.kills:
            out = f"killed{done}"
            while kills < options.kills:
                process = experiments.start(out)
                if not kill(process, generator.uniform(0, 0.7 * seconds), kills % 2 == 1):
                    break
                kills += 1
                unfinished += len(list((experiments.folder / out).glob("runs/*/result.json"))) < len(whole) - 1
            assert experiments.start(out).wait() == 0
            done += 1
            ended = experiments.ends(out)
            different += [f"{out}/{n}" for n, data in whole.items() if ended.get(n) != data]
        print(f"kills {kills} in {done} experiments of {len(whole) - 1} runs, {unfinished} of them with runs "
              f"still to do; results.csv and models that differ: {len(different)}")
        for complaint in different[:20]:
            print("  " + complaint)
        return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
