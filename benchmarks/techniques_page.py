#!/usr/bin/env python3
"""Makes docs/results/techniques.md of a finished `experiment --config techniques.json`.

usage: techniques_page.py RUNS > docs/results/techniques.md

RUNS is the experiment's folder. One table per network: what each config of configs/techniques/ reached, mean
and standard deviation over seeds, and the distance, seed by seed, to the dense network that was trained for as
many updates, at the same rates. Before them, what was expected of some and whether it came so.
"""

import csv
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LENET, CNN = "LeNet-300-100", "the document's CNN"
WRITTEN_FOR = {"base_dense": LENET, "base_cnn": CNN}
WORDS = ("run", "base", "variant", "dense", "dataset")

# What is asked of a technique: (words, config, variant or "", points at most below the dense network).
EXPECTED = [
    ("8 bits", "quantize_uniform_int8", LENET, 0.1),
    ("8 bits", "quantize_uniform_int8", CNN, 0.1),
    ("8 bits after training, biases corrected", "quantize_ptq_correct_bias", "8 bits", 0.1),
    ("4 bits, learned steps", "quantize_lsq", LENET, 0.2),
    ("4 bits, learned steps", "quantize_lsq", CNN, 0.2),
    ("ternary weights", "quantize_ternary", LENET, 0.4),
    ("ternary weights", "quantize_ternary", CNN, 0.4),
    ("binary weights", "quantize_binary", LENET, 0.7),
    ("binary weights", "quantize_binary", CNN, 0.7),
    ("95 % of the weights pruned", "prune_magnitude_global", LENET, 0.3),
    ("95 % of the weights pruned", "prune_magnitude_global", CNN, 0.2),
    ("half of the neurons removed", "prune_neuron", LENET, 0.5),
    ("half of the filters removed", "prune_filter", CNN, 0.5),
    ("half of the MACs of fc1, by rank", "factorize_svd_dense", LENET, 0.2),
]


class Row:
    """A line of the tables: a config in one of its variants. Figures are fractions, by seed."""

    def __init__(self, config, variant):
        self.config, self.variant = config, variant
        self.network = network_of(config, variant)
        self.figures = {}  # seed -> name -> value
        self.dense = {}    # seed -> accuracy of plain training with its budget
        self.dense_runs = set()

    def values(self, name):
        return [f[name] for f in self.figures.values() if name in f]

    def differences(self):
        """In points, of the seeds that both have; none where there is no integer form."""
        ours = {seed: f["accuracy.integer"] for seed, f in self.figures.items() if "accuracy.integer" in f}
        return [100 * (accuracy - self.dense[seed]) for seed, accuracy in ours.items() if seed in self.dense]

    def label(self):
        link = f"[{self.config}](../../configs/techniques/{self.config}.json)"
        return link if self.variant in ("as written", LENET, CNN) else f"{link}, {self.variant}"


def network_of(config, variant):
    """A variant may name it; else it is the one that the config begins with."""
    for network in (LENET, CNN):
        if network in variant:
            return network
    text = (ROOT / "configs/techniques" / f"{config}.json").read_text()
    return WRITTEN_FOR[re.search(r'"_base_":\s*"(\w+)\.json"', text)[1]]


def lines_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def numbers_of(line):
    return {name: float(value) for name, value in line.items() if value and name not in WORDS}


def read(folder):
    """(config, variant) -> Row, in the order of results.csv; the kinds of data set; dense runs by name."""
    accuracy = {line["run"]: line for line in lines_of(folder / "dense.csv")}
    found, kinds = {}, set()
    for line in lines_of(folder / "results.csv"):
        row = found.setdefault((line["base"], line["variant"]), Row(line["base"], line["variant"]))
        row.figures[line["seed"]] = numbers_of(line)
        kinds.add(line["dataset"])
        if line["dense"] in accuracy:
            row.dense[line["seed"]] = float(accuracy[line["dense"]]["accuracy.integer"])
            row.dense_runs.add(line["dense"])
    if len(kinds) != 1:
        sys.exit(f"{folder}: expected finished runs on one data set, found {sorted(kinds) or 'none'}")
    return found, kinds.pop(), accuracy


def mean_and_spread(values, sign=""):
    if not values:
        return "-"
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{sign}.2f}{spread}"


def percent(row, name):
    return mean_and_spread([100 * x for x in row.values(name)])


def mean_percent(row, name):
    values = row.values(name)
    return f"{100 * statistics.mean(values):.2f}" if values else "-"


def seeds_of(rows):
    counts = [len(row.figures) for row in rows]
    least, most = min(counts), max(counts)
    many = f"{most} seed{'' if most == 1 else 's'}"
    return many if least == most else f"{least} to {many}"


def differences_of(row):
    found = row.differences()
    fewer = f" (n={len(found)})" if 0 < len(found) < len(row.figures) else ""
    return mean_and_spread(found, "+") + fewer


def row_of_config(found, config, variant):
    """The variant that is named, or the one as written where that is on the network that is named."""
    for row in found.values():
        if row.config == config and (row.variant == variant or (row.variant == "as written" and row.network == variant)):
            return row
    return None


def expectations(found):
    print("## What was expected\n")
    print("| of | config | network | points lost at most | measured | |")
    print("|---|---|---|---|---|---|")
    for words, config, variant, most in EXPECTED:
        row = row_of_config(found, config, variant)
        if not row or not row.differences():
            continue
        verdict = "" if statistics.mean(row.differences()) >= -most else "**more is lost**"
        print(f"| {words} | {row.label()} | {row.network} | {most:.1f} | {differences_of(row)} | {verdict} |")
    print()


def dense_rows(rows, accuracy):
    """Plain training by its epochs: the runs that the rows are compared with."""
    runs = set().union(*(row.dense_runs for row in rows))
    by_epochs = {}
    for run in runs:
        by_epochs.setdefault(float(accuracy[run]["epochs"]), []).append(accuracy[run])
    for epochs, lines in sorted(by_epochs.items()):
        values = [100 * float(line["accuracy.integer"]) for line in lines]
        budgets = len(lines) / len({line["seed"] for line in lines})
        note = f", {budgets:.0f} courses of the rate" if budgets > 1 else ""
        print(f"| *dense, {epochs:g} epochs{note}* | | | {mean_and_spread(values)} | | | |")


def table(network, found, accuracy):
    rows = [row for row in found.values() if row.network == network]
    print(f"## {network[0].upper() + network[1:]}\n")
    print("| config | float | fake_quant | integer | against dense | bytes | zeros |")
    print("|---|---|---|---|---|---|---|")
    dense_rows(rows, accuracy)
    for row in sorted(rows, key=lambda row: (row.config, row.variant)):
        bytes_of = row.values("bytes.model")  # none where there is no integer form
        size = f"{statistics.mean(bytes_of):,.0f}" if bytes_of else "-"
        print(f"| {row.label()} | {mean_percent(row, 'accuracy.float')} | {mean_percent(row, 'accuracy.fake_quant')} | "
              f"{percent(row, 'accuracy.integer')} | {differences_of(row)} | {size} | {mean_percent(row, 'sparsity')} |")
    print()


def main():
    folder = pathlib.Path(sys.argv[1])
    found, kind, accuracy = read(folder)
    print(f"""# Techniques, measured

{len({row.config for row in found.values()})} configs of `configs/techniques/`, {seeds_of(found.values())}, {kind}: accuracy in percent of the test images (mean and
standard deviation over seeds), bytes of `model.pare`, zeros in percent of all integer weights. *Against dense* is the distance of
the integer model to the dense network that was trained for as many updates at the same rates, quantized to 8 bits after training: mean and
standard deviation of the differences seed by seed. What each technique is stands in [techniques.md](../techniques.md). Schedules are short.
Networks that are not quantized while they train are quantized to 8 bits after it; where there is no integer form, there is no integer
accuracy. `raw/techniques.csv` and `raw/techniques_dense.csv` are results.csv and dense.csv of the command.

<!-- not run: it takes hours -->

    ./pare experiment --config techniques.json --time-limit 4500    # again and again until it says that all are finished
    python3 benchmarks/techniques_page.py runs/techniques > docs/results/techniques.md
""")
    expectations(found)
    for network in (LENET, CNN):
        table(network, found, accuracy)


if __name__ == "__main__":
    main()
