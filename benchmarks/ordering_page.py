#!/usr/bin/env python3
"""Tables of docs/results/ordering_mnist.md that results.md of its experiment does not have.

usage: ordering_page.py RESULTS.csv

RESULTS.csv is that of a finished `experiment --config ordering_mnist.json`. Accuracies are those of the integer
engine, differences are in points, seeds are those that all cells have, unless a difference says n, its own number.
Differences come with their 95 % interval (Student's t over seeds), which is not corrected for their number; "all" is
the mean over the three rules for the scale, seed by seed.

1. "Prune, then quantize" minus "quantize, then prune", the mean over all rules and widths of a sparsity.
2. The same after what late pruning costs alone: (prune_then_quantize - prune_only) - (quantize_then_prune -
   prune_then_ptq at 8 bits). prune_only prunes in the first stage, prune_then_ptq in the second, and both are
   quantized to 8 bits after training. The rows of a column share two of their four runs.
3. "Prune, then quantize" minus gradual_in_qat, which prunes at the same time and is quantized from the first update.
4. Correlations over cells of x, quantization alone minus pruning alone, with other differences.
5. How often each kind that both prunes and quantizes in training is the best and the worst of a cell.
6. Differences of cells with further seeds: the seeds that all cells have, the further ones by themselves (chosen after
   the others had been seen), and all together.
7. The kinds' accuracy, mean over seeds and rules; at 2 bits max-abs, which has 98 % zeros whatever is asked for, by
   itself.
"""

import csv
import math
import statistics
import sys

import paired

SCALES, BITS, SPARSITIES = ("max-abs", "MSE", "LSQ"), ("8", "4", "3", "2"), ("0.5", "0.8", "0.9", "0.95", "0.98")
CELLS = [(scale, bits, s) for scale in SCALES for bits in BITS for s in SPARSITIES]
IN_TRAINING = ("prune_then_quantize", "quantize_then_prune", "joint", "gradual_in_qat", "alternating",
               "prune_quantize_prune")
AFTER = ("prune_then_ptq", "ptq_then_prune")
ALL = ("prune_only", "quantize_only") + IN_TRAINING + AFTER


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
    if len(common) < 2:
        sys.exit(f"expected 2 seeds or more that every cell has, found {len(common)}")
    return sorted(common, key=int)


def order(cells, scale, bits, s):
    return paired.difference(cells["prune_then_quantize", scale, bits, s], cells["quantize_then_prune", scale, bits, s])


def late_pruning(cells, s):
    return paired.difference(cells["prune_only", "MSE", "8", s], cells["prune_then_ptq", "max-abs", "8", s])


def order_after_recovery(cells, scale, bits, s):
    return paired.difference(order(cells, scale, bits, s), late_pruning(cells, s))


def against_gradual(cells, scale, bits, s):
    return paired.difference(cells["prune_then_quantize", scale, bits, s], cells["gradual_in_qat", scale, bits, s])


def mean_by_seed(many, seeds):
    return {k: statistics.mean(one[k] for one in many) for k in seeds}


def header(first):
    columns = first + tuple(f"{float(s):.0%}".replace("%", " %") for s in SPARSITIES)
    print("| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|")


def order_by_sparsity(cells, seeds):
    header(())
    means = [mean_by_seed([order(cells, scale, bits, s) for scale in SCALES for bits in BITS], seeds) for s in SPARSITIES]
    print("| " + " | ".join(paired.interval_text(list(by_seed.values())) for by_seed in means) + " |")


def differences(cells, seeds, contrast):
    def cell(by_seed):
        return paired.interval_text(list(by_seed.values())) + ("" if len(by_seed) == len(seeds) else f", n={len(by_seed)}")

    header(("scale", "bits"))
    for scale in SCALES:
        for bits in BITS:
            texts = [cell(contrast(cells, scale, bits, s)) for s in SPARSITIES]
            print(f"| {scale} | {bits} | " + " | ".join(texts) + " |")
    for bits in BITS:
        means = [mean_by_seed([contrast(cells, scale, bits, s) for scale in SCALES], seeds) for s in SPARSITIES]
        print(f"| all | {bits} | " + " | ".join(cell(by_seed) for by_seed in means) + " |")


def further_seeds(cells, seeds):
    print("| difference | cell | first seeds | further seeds | all |")
    print("|---|---|---|---|---|")
    for name, contrast in (("order", order), ("order, after recovery", order_after_recovery),
                           ("against gradual_in_qat", against_gradual)):
        for scale, bits, s in CELLS:
            by_seed = contrast(cells, scale, bits, s)
            first = [d for seed, d in by_seed.items() if seed in seeds]
            further = [d for seed, d in by_seed.items() if seed not in seeds]
            if not further:
                continue
            texts = [paired.interval_text(values) for values in (first, further, first + further)]
            print(f"| {name} | {scale}, {bits} bits, {float(s) * 100:.0f} % | " + " | ".join(texts) + " |")


def pearson(x, y):
    mx, my = statistics.mean(x), statistics.mean(y)
    xy = sum((a - mx) * (b - my) for a, b in zip(x, y))
    return xy / math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


def correlations(cells, seeds):
    def means(contrast):
        return [statistics.mean(contrast(*cell)[k] for k in seeds) for cell in CELLS]

    x = means(lambda *cell: paired.difference(cells[("quantize_only", *cell)], cells[("prune_only", *cell)]))
    print("| x with | r | cells of one sign, of opposite signs |")
    print("|---|---|---|")
    for name, y in (("prune_then_quantize - quantize_then_prune", means(lambda *cell: order(cells, *cell))),
                    ("prune_only - prune_then_ptq, 8 bits", means(lambda *cell: late_pruning(cells, cell[2]))),
                    ("the first minus the second", means(lambda *cell: order_after_recovery(cells, *cell)))):
        same, opposite = sum(a * b > 0 for a, b in zip(x, y)), sum(a * b < 0 for a, b in zip(x, y))
        print(f"| {name} | {pearson(x, y):.2f} | {same}, {opposite} |")
    print(f"\nx is above 0 in {sum(a > 0 for a in x)} of {len(x)} cells.")


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
    for bits, scales, note in (("8", SCALES, ""), ("4", SCALES, ""), ("3", SCALES, ""), ("2", SCALES[1:], ", MSE and LSQ"),
                               ("2", SCALES[:1], ", max-abs")):
        for s in SPARSITIES:
            sums = [sum(cells[kind, scale, bits, s][k] for scale in scales for k in seeds) for kind in kinds]
            means = [f"{total / len(scales) / len(seeds) / 100:.2f}" for total in sums]
            texts = [f"**{m}**" if total == max(sums) else m for m, total in zip(means, sums)]
            print(f"| {bits}{note} | {float(s) * 100:.0f} % | " + " | ".join(texts) + " |")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cells = read(sys.argv[1])
    seeds = seeds_of(cells)
    print(f"Seeds {', '.join(seeds)}.\n")
    order_by_sparsity(cells, seeds)
    for contrast in (order_after_recovery, against_gradual):
        print()
        differences(cells, seeds, contrast)
    for table in (correlations, best_and_worst, further_seeds, by_sparsity):
        print()
        table(cells, seeds)


if __name__ == "__main__":
    main()
