#!/usr/bin/python3
"""Training throughput in PyTorch of the five networks of `bench train`: its yardstick.

Times complete steps (forward, softmax cross-entropy, backward, update) on random images that already
lie in memory: no loading, no augmentation, no evaluation, so accuracy means nothing here. `--qat`
prepares the network with PyTorch's own quantization-aware training (8 bits, weights per channel,
moving averages of the activations' ranges). README.md says how to give PyTorch its best environment;
the answer says what it really computes with and what of that is not its best (torch_setup.py), so
that an untuned run cannot pass for a tuned one. `--serve` is what `bench train` starts: see apps/bench/worker.h for the protocol.
"""

import argparse
import json
import statistics
import sys
import time
import warnings

import torch
from torch import nn
from torch.nn import functional

import torch_setup

BATCHES_IN_MEMORY = 16


def lenet_300_100():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(),
                         nn.Linear(100, 10))


def document_cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(13 * 13 * 32, 128), nn.ReLU(), nn.Linear(128, 10))


def lenet_5():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def cifar_cnn():
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, 10))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(inputs, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(),
                                  nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters))
        self.short = nn.Identity()
        if stride != 1:
            self.short = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.main(x) + self.short(x))


def resnet_20():
    layers, inputs = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for filters in (16, 32, 64):
        for block in range(3):
            layers.append(Residual(inputs, filters, 2 if filters > 16 and block == 0 else 1))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


# Name: network, shape of an image, number of parameters (the check that both sides train the same one).
NETS = {
    "N1": (lenet_300_100, (1, 28, 28), 266_610),
    "N2": (document_cnn, (1, 28, 28), 693_962),
    "N3": (lenet_5, (1, 28, 28), 431_080),
    "N4": (cifar_cnn, (3, 32, 32), 2_113_514),
    "N5": (resnet_20, (3, 32, 32), 272_474),
}


def prepared(net, qat, image):
    make, _, parameters = NETS[net]
    network = make()
    assert sum(p.numel() for p in network.parameters()) == parameters
    if qat:
        from torch.ao.quantization import get_default_qat_qconfig_mapping
        from torch.ao.quantization.quantize_fx import prepare_qat_fx
        network = prepare_qat_fx(network.train(), get_default_qat_qconfig_mapping("fbgemm"), (torch.rand(2, *image),))
    return network.train()


class Training:
    """A network, its optimizer and the batches it walks through in turn."""

    def __init__(self, options, layout):
        torch.manual_seed(1)
        image = NETS[options.net][1]
        self.network = prepared(options.net, options.qat, image).to(memory_format=layout)
        if options.net == "N2":
            self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        else:
            self.optimizer = torch.optim.SGD(self.network.parameters(), lr=1e-3, momentum=0.9)
        images = torch.rand(BATCHES_IN_MEMORY * options.batch, *image).contiguous(memory_format=layout)
        labels = torch.randint(0, 10, (BATCHES_IN_MEMORY * options.batch,))
        self.batches = list(zip(images.split(options.batch), labels.split(options.batch)))
        self.next = 0

    def step(self):
        images, labels = self.batches[self.next]
        self.next = (self.next + 1) % BATCHES_IN_MEMORY
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(self.network(images), labels).backward()
        self.optimizer.step()

    def run(self, seconds):
        """Trains for about `seconds`, at least three steps; returns what each of them took."""
        # With one thread processor time, which holds on a busy machine too.
        clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
        times, begin = [], clock()
        while len(times) < 3 or clock() - begin < seconds:
            start = clock()
            self.step()
            times.append(clock() - start)
        return times


def fastest(options, seconds):
    """The training in the faster one of the memory formats, after a warm-up of both, and its name."""
    layouts = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
    if options.layout != "both":
        layouts = {options.layout: layouts[options.layout]}
    trainings = {name: Training(options, layout) for name, layout in layouts.items()}
    medians = {}
    for name, training in trainings.items():
        training.run(seconds)
        medians[name] = statistics.median(training.run(seconds))
    best = min(medians, key=medians.get)
    return best, trainings[best]


def serve(options):
    layout, training = fastest(options, 0.3)
    details = json.dumps(torch_setup.details(torch, options.threads, layout))
    print(f"ready torch {torch.__version__}\t{details}", flush=True)
    for line in sys.stdin:
        training.step()
        print(" ".join(f"{t:.9f}" for t in training.run(float(line))), flush=True)


def measure(options):
    layout, training = fastest(options, options.seconds)
    rates = []
    for _ in range(options.blocks):
        times = training.run(options.seconds)
        rates.append(len(times) * options.batch / sum(times))
    json.dump({
        "net": options.net, "batch": options.batch, "threads": options.threads, "qat": options.qat,
        "images_per_second": round(statistics.median(rates)),
        "min": round(min(rates)), "max": round(max(rates)),
        "blocks": options.blocks, **torch_setup.details(torch, options.threads, layout),
    }, sys.stdout)
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=sorted(NETS), default="N2")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--qat", action="store_true", help="with PyTorch's fake quantization")
    parser.add_argument("--blocks", type=int, default=11, help="timed blocks (default 11)")
    parser.add_argument("--seconds", type=float, default=0.5,
                        help="length of a block (default 0.5)")
    parser.add_argument("--layout", choices=["both", "nchw", "channels_last"], default="both",
                        help="memory format; both measures the two and keeps the faster (default)")
    parser.add_argument("--serve", action="store_true", help="times on request, for bench train")
    options = parser.parse_args()
    if min(options.batch, options.threads, options.blocks) < 1 or options.seconds <= 0:
        parser.error("--batch, --threads, --blocks and --seconds must be positive")
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    serve(options) if options.serve else measure(options)


if __name__ == "__main__":
    main()
