#!/usr/bin/env python3
"""A Markdown table of several runs: one row a run, then mean and sample standard deviation.

    benchmarks/table.py runs/main-1 runs/main-2 runs/main-3

Reads each folder's result.json; standard library only.
"""
import json
import pathlib
import statistics
import sys

COLUMNS = [
    ("float %", lambda r: percent(r["accuracy"]["float"])),
    ("fake-quant %", lambda r: percent(r["accuracy"]["fake_quant"])),
    ("integer %", lambda r: percent(r["accuracy"]["integer"])),
    ("zeros %", lambda r: percent(r["sparsity"])),
    ("model bytes", lambda r: r["bytes"]["model"]),
    ("seconds", lambda r: r["seconds"]),
    ("differing codes", lambda r: (r["integer_check"] or {}).get("differing")),
]
DIGITS = {"model bytes": 0, "seconds": 0, "differing codes": 0}


def percent(fraction):
    return None if fraction is None else 100 * fraction


def cell(name, value):
    return "-" if value is None else f"{value:.{DIGITS.get(name, 2)}f}"


def row(label, cells):
    return "| " + " | ".join([label, *cells]) + " |"


def main(folders):
    results = [json.loads(pathlib.Path(folder, "result.json").read_text()) for folder in folders]
    names = [name for name, _ in COLUMNS]
    print(row("run", names))
    print("|" + "---|" * (len(names) + 1))
    columns = {name: [get(result) for result in results] for name, get in COLUMNS}
    for i, (folder, result) in enumerate(zip(folders, results)):
        label = f"{pathlib.Path(folder).name}, {result['dataset']['kind']}, seed {result['seed']}"
        print(row(label, [cell(name, columns[name][i]) for name in names]))
    if len(results) < 2:
        return
    for label, statistic in (("mean", statistics.mean), ("standard deviation", statistics.stdev)):
        known = {name: [v for v in values if v is not None] for name, values in columns.items()}
        print(row(label, [cell(n, statistic(known[n]) if len(known[n]) > 1 else None) for n in names]))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
