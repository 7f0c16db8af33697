#!/usr/bin/python3
"""Training throughput of the document's CNN in PyTorch: the yardstick for `train`'s images/s.

Times complete steps (forward, softmax cross-entropy, backward, Adam) on random images that already
lie in memory: no loading, no augmentation, no evaluation, so accuracy means nothing here. README.md
says how to give PyTorch its best environment; the answer names the BLAS library that was really
loaded, so that an untuned run cannot pass for a tuned one.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional

BATCHES_IN_MEMORY = 16
# 32*9+32 + 5408*128+128 + 128*10+10: the check that both sides train the same network.
PARAMETERS = 693_962


def document_cnn():
    """[B, 1, 28, 28] -> [B, 10]."""
    network = nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(13 * 13 * 32, 128), nn.ReLU(), nn.Linear(128, 10))
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS
    return network


class Training:
    """A network, its optimizer and the batches it walks through in turn."""

    def __init__(self, batch, layout):
        torch.manual_seed(1)
        self.network = document_cnn().to(memory_format=layout)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        images = torch.rand(BATCHES_IN_MEMORY * batch, 1, 28, 28).contiguous(memory_format=layout)
        labels = torch.randint(0, 10, (BATCHES_IN_MEMORY * batch,))
        self.batches = list(zip(images.split(batch), labels.split(batch)))
        self.next = 0

    def step(self):
        images, labels = self.batches[self.next]
        self.next = (self.next + 1) % BATCHES_IN_MEMORY
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(self.network(images), labels).backward()
        self.optimizer.step()

    def run(self, seconds):
        """Trains for about `seconds`; returns the steps and the seconds they really took."""
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            self.step()
            steps += 1
        return steps, time.perf_counter() - begin


def measure(batch, layout, blocks, seconds):
    """Images per second of each of `blocks` blocks, after a warm-up of one block."""
    training = Training(batch, layout)
    training.run(seconds)
    rates = []
    for _ in range(blocks):
        steps, took = training.run(seconds)
        rates.append(steps * batch / took)
    return rates


def loaded_blas():
    """The path of the BLAS library in this process, or null."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps if "blas" in line}
    return ", ".join(sorted(paths)) or None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=11, help="timed blocks (default 11)")
    parser.add_argument("--seconds", type=float, default=0.5,
                        help="length of a block (default 0.5)")
    parser.add_argument("--layout", choices=["both", "nchw", "channels_last"], default="both",
                        help="memory format; both measures the two and keeps the faster (default)")
    options = parser.parse_args()
    if min(options.batch, options.threads, options.blocks) < 1 or options.seconds <= 0:
        parser.error("--batch, --threads, --blocks and --seconds must be positive")

    torch.set_num_threads(options.threads)
    layouts = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
    if options.layout != "both":
        layouts = {options.layout: layouts[options.layout]}
    rates = {name: measure(options.batch, layout, options.blocks, options.seconds)
             for name, layout in layouts.items()}
    best = max(rates, key=lambda name: statistics.median(rates[name]))
    json.dump({
        "net": "document_cnn", "batch": options.batch, "threads": options.threads,
        "images_per_second": round(statistics.median(rates[best])),
        "min": round(min(rates[best])), "max": round(max(rates[best])),
        "blocks": options.blocks, "layout": best, "torch": torch.__version__, "blas": loaded_blas(),
    }, sys.stdout)
    print()


if __name__ == "__main__":
    main()
