#!/usr/bin/env python3
"""Makes docs/results/techniques.md of a finished `experiment --config techniques.json`.

usage: techniques_page.py RUNS > docs/results/techniques.md

RUNS is the experiment's folder. One table per network: what each config of configs/techniques/ reached, mean
and standard deviation over seeds, and the distance to the dense network that was trained for as long.
"""

import csv
import json
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETWORKS = {"base_dense": ("LeNet-300-100", "dense_same_budget"),
            "base_cnn": ("The document's CNN", "dense_same_budget_cnn")}
FIGURES = ("accuracy.float", "accuracy.fake_quant", "accuracy.integer", "bytes.model", "sparsity")


def network_of(config):
    """The stem of the network's file that a config begins with."""
    text = (ROOT / "configs/techniques" / f"{config}.json").read_text()
    return re.search(r'"_base_":\s*"(\w+)\.json"', text)[1]


def read(folder):
    """config -> figure -> list of values, one a seed."""
    found = {}
    with open(folder / "results.csv", newline="") as file:
        for row in csv.DictReader(file):
            figures = found.setdefault(row["base"], {})
            for name in FIGURES:
                if row[name]:
                    figures.setdefault(name, []).append(float(row[name]))
    return found


def spread(values):
    return f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""


def cell(figures, name):
    values = figures.get(name)
    if not values:
        return "-"
    mean = statistics.mean(values)
    if name == "bytes.model":
        return f"{mean:,.0f}"
    return f"{100 * mean:.2f}{spread(values) if name == 'accuracy.integer' else ''}"


def difference(figures, dense):
    ours, theirs = figures.get("accuracy.integer"), dense.get("accuracy.integer")
    if not ours or not theirs:
        return "-"
    return f"{100 * (statistics.mean(ours) - statistics.mean(theirs)):+.2f}"


def table(title, dense_name, found, names):
    dense = found.get(dense_name, {})
    print(f"## {title}\n")
    print("| config | seeds | float | fake_quant | integer | against dense | bytes | zeros |")
    print("|---|---|---|---|---|---|---|---|")
    for name in [dense_name] + [other for other in names if other != dense_name]:
        if name not in found:
            continue
        f = found[name]
        seeds = max((len(values) for values in f.values()), default=0)
        print(f"| [{name}](../../configs/techniques/{name}.json) | {seeds} | "
              f"{cell(f, 'accuracy.float')} | {cell(f, 'accuracy.fake_quant')} | "
              f"{cell(f, 'accuracy.integer')} | {difference(f, dense)} | "
              f"{cell(f, 'bytes.model')} | {cell(f, 'sparsity')} |")
    print()


def main():
    folder = pathlib.Path(sys.argv[1])
    found = read(folder)
    seen = set()
    for path in folder.glob("runs/*/result.json"):
        seen.add(json.loads(path.read_text())["dataset"]["kind"])
    data = ", ".join(sorted(seen)) or "no data"
    print(f"""# Techniques, measured

Every config of `configs/techniques/` with three seeds on {data}: accuracy in percent of the test images (mean and
standard deviation over seeds), bytes of `model.pare`, zeros in percent of all integer weights. *Against dense* is the distance of
the integer model to the dense network that was trained for as many epochs, quantized to 8 bits after training.
What each technique is stands in [techniques.md](../techniques.md). Schedules are short, so that the whole table takes some hours on
two cores; none was tuned.

<!-- not run: it takes hours -->

    ./pare experiment --config techniques.json --jobs 2 --time-limit 4500    # again and again until it says that all are finished
    python3 benchmarks/techniques_page.py runs/techniques > docs/results/techniques.md
""")
    for base, (title, dense_name) in NETWORKS.items():
        table(title, dense_name, found, sorted(n for n in found if network_of(n) == base))


if __name__ == "__main__":
    main()
