#!/usr/bin/env python3
"""Tables of docs/results/ordering_mnist.md that results.md of its experiment does not have.

usage: ordering_page.py RESULTS.csv

RESULTS.csv is that of a finished `experiment --config ordering_mnist.json`. Accuracies are those of the integer
engine, differences are in points, seeds are those that all kinds of a cell have.

1. How much less quantization costs when pruning comes first, once pruning recovers for as long in both orders.
   (prune_then_quantize - prune_only) - (quantize_then_prune - prune_then_ptq at 8 bits), seed by seed, with its
   95 % interval (Student's t). prune_only prunes in the first stage, prune_then_ptq in the second, and both are
   quantized to 8 bits after training. Intervals are not corrected for their number, and the rows of a column share
   two of their four runs.
2. How often each kind that both prunes and quantizes in training is the best and the worst of a cell.
3. The kinds' accuracy, mean over seeds and the three rules for the scale.
"""

import csv
import math
import statistics
import sys

SCALES, BITS, SPARSITIES = ("max-abs", "MSE", "LSQ"), ("8", "4", "3", "2"), ("0.5", "0.8", "0.9", "0.95", "0.98")
CELLS = [(scale, bits, s) for scale in SCALES for bits in BITS for s in SPARSITIES]
IN_TRAINING = ("prune_then_quantize", "quantize_then_prune", "joint", "gradual_in_qat", "alternating",
               "prune_quantize_prune")
AFTER = ("prune_then_ptq", "ptq_then_prune")
ALL = ("prune_only",) + IN_TRAINING + AFTER
# 97.5 % points of Student's t for 1, 2, ... degrees of freedom.
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def read(path):
    """(kind, scale, bits, sparsity) -> seed -> accuracy in hundredths of a point: whole numbers for 10,000 images."""
    cells, data = {}, set()
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            data.add(row["dataset"])
            key = (row["strategy.kind"], row["scale"], row["compression.quantize.weights.bits"],
                   row["compression.prune.sparsity.to"])
            seeds = cells.setdefault(key, {})
            if row["seed"] in seeds:
                sys.exit(f"{path}: two rows of {key} with seed {row['seed']}")
            seeds[row["seed"]] = round(10000 * float(row["accuracy.integer"]))
    if len(data) != 1:
        sys.exit(f"{path}: expected runs on one data set, found {sorted(data)}")
    return cells


def seeds_of(cells):
    """The seeds that every cell has."""
    missing = [(kind, *cell) for cell in CELLS for kind in ALL if (kind, *cell) not in cells]
    if missing:
        sys.exit(f"no rows of {missing[0]}; is the experiment finished?")
    common = set.intersection(*(set(cells[(kind, *cell)]) for cell in CELLS for kind in ALL))
    if not 2 <= len(common) <= len(T) + 1:
        sys.exit(f"expected 2 to {len(T) + 1} seeds that every cell has, found {len(common)}")
    return sorted(common, key=int)


def interval(values):
    """Mean and 95 % interval of differences in hundredths of a point."""
    half = T[len(values) - 2] * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.mean(values)
    return f"{mean / 100:.2f} ({(mean - half) / 100:.2f} to {(mean + half) / 100:.2f})"


def costs_of_order(cells, seeds):
    print("| scale | bits | " + " | ".join(f"{float(s):.0%}" for s in SPARSITIES) + " |")
    print("|---" * (2 + len(SPARSITIES)) + "|")
    for scale in SCALES:
        for bits in BITS:
            texts = []
            for s in SPARSITIES:
                first, second = cells["prune_then_quantize", scale, bits, s], cells["quantize_then_prune", scale, bits, s]
                early, late = cells["prune_only", scale, bits, s], cells["prune_then_ptq", "max-abs", "8", s]
                texts.append(interval([(first[k] - early[k]) - (second[k] - late[k]) for k in seeds]))
            print(f"| {scale} | {bits} | " + " | ".join(texts) + " |")


def sums_of(cells, seeds, cell):
    return {kind: sum(cells[(kind, *cell)][k] for k in seeds) for kind in IN_TRAINING}


def best_and_worst(cells, seeds):
    """Equal sums share a rank, a first place and a last one."""
    ranks = {kind: [] for kind in IN_TRAINING}
    best, worst = dict.fromkeys(IN_TRAINING, 0), dict.fromkeys(IN_TRAINING, 0)
    for cell in CELLS:
        sums = sums_of(cells, seeds, cell)
        for kind, own in sums.items():
            above = sum(other > own for other in sums.values())
            equal = sum(other == own for other in sums.values())
            ranks[kind].append(above + (equal + 1) / 2)
            best[kind] += own == max(sums.values())
            worst[kind] += own == min(sums.values())
    print(f"| kind | mean rank of {len(IN_TRAINING)} | best of {len(CELLS)} cells | worst |")
    print("|---|---|---|---|")
    for kind in sorted(IN_TRAINING, key=lambda kind: statistics.mean(ranks[kind])):
        print(f"| {kind} | {statistics.mean(ranks[kind]):.2f} | {best[kind]} | {worst[kind]} |")


def by_sparsity(cells, seeds):
    kinds = IN_TRAINING + AFTER
    print("| bits | zeros asked for | " + " | ".join(kinds) + " |")
    print("|---" * (2 + len(kinds)) + "|")
    for bits in BITS:
        for s in SPARSITIES:
            sums = [sum(cells[kind, scale, bits, s][k] for scale in SCALES for k in seeds) for kind in kinds]
            means = [f"{total / len(SCALES) / len(seeds) / 100:.2f}" for total in sums]
            texts = [f"**{m}**" if total == max(sums) else m for m, total in zip(means, sums)]
            print(f"| {bits} | {float(s):.0%} | " + " | ".join(texts) + " |")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cells = read(sys.argv[1])
    seeds = seeds_of(cells)
    print(f"Seeds {', '.join(seeds)}.\n")
    for table in (costs_of_order, best_and_worst, by_sparsity):
        table(cells, seeds)
        print()


if __name__ == "__main__":
    main()
