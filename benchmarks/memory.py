#!/usr/bin/env python3
"""Peak resident memory of training: what `train --plan` predicts, what a run takes, what PyTorch takes.

    benchmarks/memory.py [--updates N] [--pytorch PYTHON]

Our runs load the real data sets ($PARE_DATA), train N updates in float and N with 8 bits in the loop, validate, save, and end as every
run does: lowered, verified on all test images, written. PyTorch trains the same
networks in benchmarks/peers/train_pytorch.py, in float and with its own quantization-aware training, which holds 16 random batches; of the
two the one that takes more, each in the memory format that takes less. The bytes of the data set, as we hold it, are added to its figure.
Everything that a process maps in is counted: program, libraries, BLAS buffers.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRAIN = ROOT / "build/release/bin/train"
NETWORKS = [("N1", "lenet_300_100.json", 64), ("N2", "document_cnn.json", 64), ("N3", "lenet_5.json", 64),
            ("N4", "cifar10/document_cnn.json", 64), ("N5", "cifar10/resnet20.json", 128)]
LAYOUTS = ("nchw", "channels_last")
# Runs a command and prints the peak of what was resident of it, in kB; others' children do not count.
PEAK = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=2); " \
       "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


def peak(command):
    """In MB."""
    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, command)], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) * 1024 / 1e6


def planned(config):
    """In MB: (in all, of the images)."""
    done = subprocess.run([TRAIN, "--config", config, "--plan"], check=True, capture_output=True, text=True)
    found = re.search(r"memory: ([\d.]+) MB in all: ([\d.]+) MB for the images", done.stdout)
    return float(found[1]), float(found[2])


def peak_of_pytorch(options, net, batch, layout, extra):
    """In MB, without a data set."""
    return peak([options.pytorch, ROOT / "benchmarks/peers/train_pytorch.py", "--net", net, "--batch", batch, "--threads", "2",
                 "--blocks", "1", "--seconds", "1", "--layout", layout, *extra])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--updates", type=int, default=60, help="of each phase")
    parser.add_argument("--pytorch", default="/usr/bin/python3", help="a Python that has it")
    options = parser.parse_args()
    print("| net, batch | planned MB | a run's MB | run / plan | PyTorch MB | PyTorch / run |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for net, config, batch in NETWORKS:
            plan, images = planned(config)
            short = [f"--set=phases[{i}].{key}" for i in (0, 1) for key in (f"steps={options.updates}", "epochs=null")]
            ours = peak([TRAIN, "--config", config, "--out", f"{folder}/{net}", *short, "-q"])
            theirs = images + max(min(peak_of_pytorch(options, net, batch, layout, extra) for layout in LAYOUTS)
                                  for extra in ([], ["--qat"]))
            print(f"| {net}, {batch} | {plan:.0f} | {ours:.0f} | {ours / plan:.2f} | {theirs:.0f} | {theirs / ours:.1f} |",
                  flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
