#!/usr/bin/env python3
"""Tables of docs/results/ordering_mnist.md that results.md of an experiment does not have.

usage: ordering_page.py RESULTS.csv

RESULTS.csv is that of `experiment --config ordering_mnist.json`. Three tables, in points of integer accuracy:

1. What quantization costs in either order, once the time that pruning recovers for is the same. "Prune, then
   quantize" is measured against pruning alone in the first stage (`prune_only`), "quantize, then prune" against
   pruning alone in the second (`prune_then_ptq` at 8 bits, whose quantization after training costs nothing that
   can be seen), and the two costs are subtracted seed by seed.
2. How often each kind that both prunes and quantizes in training is the best and the worst of a cell.
3. The kinds' mean accuracy over cells of one sparsity.
"""

import collections
import csv
import math
import statistics
import sys

SCALES, BITS, SPARSITIES = ["max-abs", "MSE", "LSQ"], ["8", "4", "3", "2"], ["0.5", "0.8", "0.9", "0.95", "0.98"]
IN_TRAINING = ["prune_then_quantize", "quantize_then_prune", "joint", "gradual_in_qat", "alternating", "prune_quantize_prune"]
AFTER = ["prune_then_ptq", "ptq_then_prune"]
# 97.5 % points of Student's t for 1, 2, ... degrees of freedom.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


def read(path):
    """(kind, scale, bits, sparsity) -> seed -> accuracy in percent."""
    cells = collections.defaultdict(dict)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            key = (row["strategy.kind"], row["scale"], row["compression.quantize.weights.bits"],
                   row["compression.prune.sparsity.to"])
            cells[key][row["seed"]] = 100 * float(row["accuracy.integer"])
    return cells


def interval(values):
    """Mean and half the width of its 95 % interval."""
    half = T[len(values) - 2] * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return statistics.mean(values), half


def costs_of_order(cells):
    print("| scale | bits | " + " | ".join(f"{float(s):.0%}" for s in SPARSITIES) + " |")
    print("|---" * (2 + len(SPARSITIES)) + "|")
    for scale in SCALES:
        for bits in BITS:
            texts = []
            for s in SPARSITIES:
                first, second = cells["prune_then_quantize", scale, bits, s], cells["quantize_then_prune", scale, bits, s]
                early, late = cells["prune_only", scale, bits, s], cells["prune_then_ptq", "max-abs", "8", s]
                seeds = first.keys() & second.keys() & early.keys() & late.keys()
                mean, half = interval([(first[k] - early[k]) - (second[k] - late[k]) for k in sorted(seeds)])
                texts.append(f"{mean:.2f} ({mean - half:.2f} to {mean + half:.2f})")
            print(f"| {scale} | {bits} | " + " | ".join(texts) + " |")


def means_of(cells, scale, bits, s, kinds):
    return {kind: statistics.mean(cells[kind, scale, bits, s].values()) for kind in kinds}


def best_and_worst(cells):
    best, worst, ranks = collections.Counter(), collections.Counter(), collections.defaultdict(list)
    count = 0
    for scale in SCALES:
        for bits in BITS:
            for s in SPARSITIES:
                means = means_of(cells, scale, bits, s, IN_TRAINING)
                order = sorted(IN_TRAINING, key=lambda kind: -means[kind])
                best[order[0]] += 1
                worst[order[-1]] += 1
                count += 1
                for kind in IN_TRAINING:  # equal means share the mean of their ranks
                    above = sum(means[other] > means[kind] for other in IN_TRAINING)
                    equal = sum(means[other] == means[kind] for other in IN_TRAINING)
                    ranks[kind].append(above + (equal + 1) / 2)
    print(f"| kind | mean rank of {len(IN_TRAINING)} | best of {count} cells | worst |")
    print("|---|---|---|---|")
    for kind in sorted(IN_TRAINING, key=lambda kind: statistics.mean(ranks[kind])):
        print(f"| {kind} | {statistics.mean(ranks[kind]):.2f} | {best[kind]} | {worst[kind]} |")


def by_sparsity(cells):
    kinds = IN_TRAINING + AFTER
    print("| bits | zeros asked for | " + " | ".join(kinds) + " |")
    print("|---" * (2 + len(kinds)) + "|")
    for bits in BITS:
        for s in SPARSITIES:
            means = [statistics.mean(statistics.mean(cells[kind, scale, bits, s].values()) for scale in SCALES)
                     for kind in kinds]
            texts = [f"**{m:.2f}**" if m == max(means) else f"{m:.2f}" for m in means]
            print(f"| {bits} | {float(s):.0%} | " + " | ".join(texts) + " |")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cells = read(sys.argv[1])
    for table in (costs_of_order, best_and_worst, by_sparsity):
        table(cells)
        print()


if __name__ == "__main__":
    main()
