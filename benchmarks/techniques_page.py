#!/usr/bin/env python3
"""Makes docs/results/techniques.md of a finished `experiment --config techniques.json`.

usage: techniques_page.py RUNS > docs/results/techniques.md

RUNS is the experiment's folder. One table per network: what each config of configs/techniques/ reached, mean
and standard deviation over seeds, and the distance, seed by seed, to the dense network that was trained for
as long.
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


def network_of(config):
    """The stem of the network's file that a config begins with."""
    text = (ROOT / "configs/techniques" / f"{config}.json").read_text()
    return re.search(r'"_base_":\s*"(\w+)\.json"', text)[1]


def read(folder):
    """config -> seed -> its row of results.csv, which names the runs of the plan and no others."""
    found = {}
    with open(folder / "results.csv", newline="") as file:
        for row in csv.DictReader(file):
            seeds = found.setdefault(row["base"], {})
            if row["seed"] in seeds:
                sys.exit(f"{folder}: two rows of {row['base']} with seed {row['seed']}; expected "
                         "the results of techniques.json, which has no other axis")
            seeds[row["seed"]] = row
    return found


def data_of(folder, found):
    """The kind of data that all runs were trained on; differences between two would mean nothing."""
    kinds = set()
    for seeds in found.values():
        for row in seeds.values():
            kind = row.get("dataset")
            if not kind:  # a table without this column
                result = folder / "runs" / row["run"] / "result.json"
                kind = json.loads(result.read_text())["dataset"]["kind"]
            kinds.add(kind)
    if len(kinds) != 1:
        sys.exit(f"{folder}: expected runs on one data set, found {sorted(kinds)}")
    return kinds.pop()


def seeds_of(found):
    """How many: 3 seeds, or 1 to 3 seeds where some are missing."""
    counts = [len(seeds) for seeds in found.values()]
    least, most = min(counts), max(counts)
    if least != most:
        return f"{least} to {most} seeds"
    return f"{most} seed{'' if most == 1 else 's'}"


def configs_of(found):
    """Every config, or how many of them where some are missing."""
    names = {path.stem for path in (ROOT / "configs/techniques").glob("*.json")} - set(NETWORKS)
    return "Every config" if names <= set(found) else f"{len(found)} of {len(names)} configs"


def values_of(seeds, name):
    """seed -> value, of the seeds that have one."""
    return {seed: float(row[name]) for seed, row in seeds.items() if row[name]}


def spread(values):
    return f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""


def cell(seeds, name):
    values = list(values_of(seeds, name).values())
    if not values:
        return "-"
    mean = statistics.mean(values)
    if name == "bytes.model":
        return f"{mean:,.0f}"
    return f"{100 * mean:.2f}{spread(values) if name == 'accuracy.integer' else ''}"


def difference(seeds, dense):
    """Seed by seed, over the seeds that both have."""
    ours, theirs = (values_of(s, "accuracy.integer") for s in (seeds, dense))
    differences = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
    if not differences:
        return "-"
    fewer = f" (n={len(differences)})" if len(differences) < len(ours) else ""
    return f"{100 * statistics.mean(differences):+.2f}{spread(differences)}{fewer}"


def table(title, dense_name, found, names):
    dense = found.get(dense_name, {})
    print(f"## {title}\n")
    print("| config | seeds | float | fake_quant | integer | against dense | bytes | zeros |")
    print("|---|---|---|---|---|---|---|---|")
    for name in [dense_name] + [other for other in names if other != dense_name]:
        if name not in found:
            continue
        seeds = found[name]
        against = difference(seeds, dense) if name != dense_name else "-"
        print(f"| [{name}](../../configs/techniques/{name}.json) | {len(seeds)} | "
              f"{cell(seeds, 'accuracy.float')} | {cell(seeds, 'accuracy.fake_quant')} | "
              f"{cell(seeds, 'accuracy.integer')} | {against} | "
              f"{cell(seeds, 'bytes.model')} | {cell(seeds, 'sparsity')} |")
    print()


def main():
    folder = pathlib.Path(sys.argv[1])
    found = read(folder)
    if not found:
        sys.exit(f"{folder}: results.csv has no finished run")
    print(f"""# Techniques, measured

{configs_of(found)} of `configs/techniques/` with {seeds_of(found)} on {data_of(folder, found)}: accuracy in percent of the test images (mean and
standard deviation over seeds), bytes of `model.pare`, zeros in percent of all integer weights. *Against dense* is the distance of
the integer model to the dense network that was trained for as many epochs, quantized to 8 bits after training: mean and standard
deviation of the differences seed by seed, over the seeds that both have.
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
