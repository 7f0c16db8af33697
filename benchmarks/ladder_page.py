#!/usr/bin/env python3
"""Tables of the pages of docs/results/ about a ladder of two orders that results.md of its experiment does not have.

usage: ladder_page.py RESULTS.csv

RESULTS.csv is that of a finished `experiment --config ordering_mnist_ladder.json`, ordering_cnn.json or
ordering_cifar10.json: the axis `rung` ("1 published, P then Q"; two orders a rung, the last one the null case), then bits
and sparsity, whose values are the cells. Accuracies are those of the integer engine in percent. A difference is the first
order of a rung minus the second, in points, seed by seed; intervals are 95 %, Student's t over seeds, not corrected. *: p
is below 0.05 (paired t, Holm's correction over the cells of a column). 0 without decimals: so in every seed.

1. The difference of every rung in every cell, and the zeros of the models of a cell, from the least to the most.
2. How much a rung changes the difference from the rung before, and the same averaged over the cells of a sparsity, seed by
   seed. Rungs are cumulative: with another sequence of them the changes would be others.
3. The rung before the null case: tests, for equality within 0.2 points (TOST) too, and the mean zeros of both orders.
4. What the rungs take away together, from the first to that one.
5. Where some cells have further seeds (chosen after the others had been seen): the rung before the null case with the
   seeds that all cells have, with the further ones by themselves, and with all.
6. Every cell by itself: both orders, mean and standard deviation; p is not corrected.
"""

import csv
import statistics
import sys

import paired

MARGIN = 20  # hundredths of a point


def read(path):
    """rung -> cell -> order -> seed -> accuracy in hundredths of a point; and cell -> (rung, order) -> zeros in percent."""
    accuracy, zeros = {}, {}
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        axes = reader.fieldnames[reader.fieldnames.index("rung") + 1:reader.fieldnames.index("seed")]
        if len(axes) != 2:
            sys.exit(f"{path}: expected two axes beside the rung, bits and sparsity; found {axes}")
        for row in reader:
            rung, order = row["rung"].split(", ", 1)
            cell = tuple(row[name] for name in axes)
            seeds = accuracy.setdefault(rung, {}).setdefault(cell, {}).setdefault(order, {})
            if row["seed"] in seeds:
                sys.exit(f"{path}: two rows of rung {row['rung']}, {cell}, seed {row['seed']}")
            seeds[row["seed"]] = round(10000 * float(row["accuracy.integer"]))
            zeros.setdefault(cell, {}).setdefault((rung, order), []).append(100 * float(row["sparsity"]))
    return accuracy, zeros


def check(path, accuracy, cells):
    """Every rung has every cell, with two orders of the same seeds."""
    for cell in cells:
        found = {rung: [set(seeds) for seeds in of.get(cell, {}).values()] for rung, of in accuracy.items()}
        expected = [next(iter(found.values()))[0]] * 2
        for rung, seeds in found.items():
            if seeds != expected or len(expected[0]) < 2:
                sys.exit(f"{path}: expected two orders with the same seeds, two or more, in every rung of {cell}; found "
                         f"{[sorted(s) for s in seeds]} in {rung}; is the experiment finished?")


def difference_of(orders):
    first, second = orders.values()
    return paired.difference(first, second)


def cell_name(cell):
    bits, sparsity = cell
    return f"{bits}, {float(sparsity) * 100:.0f} %"


def range_text(by_order):
    percents = [zeros for rows in by_order.values() for zeros in rows]
    low, high = f"{min(percents):.1f}", f"{max(percents):.1f}"
    return low if low == high else f"{low} to {high}"


def mean_text(values):
    return paired.points(statistics.mean(values)) if any(values) else "0"


def deviation_text(values):
    return f"{statistics.mean(values) / 100:.2f} ± {statistics.stdev(values) / 100:.2f}"


def print_header(names):
    print("| " + " | ".join(names) + " |")
    print("|---" * len(names) + "|")


def print_row(texts):
    print("| " + " | ".join(texts) + " |")


def marked(column, text):
    """A column's texts, one for each cell, with * behind what can be told from 0."""
    corrected = paired.holm([paired.p_of(list(by_seed.values())) for by_seed in column])
    return [text(list(by_seed.values())) + ("*" if p is not None and p < 0.05 else "") for by_seed, p in zip(column, corrected)]


def print_columns(cells, columns):
    """columns: title -> one text for each cell."""
    print_header(["bits, zeros asked for", *columns])
    for name, *texts in zip(map(cell_name, cells), *columns.values()):
        print_row([name, *texts])
    print()


def print_averages(cells, changes):
    """changes: rung -> one dict of seed -> change for each cell."""
    print_header(["cells", *changes])
    for sparsity in dict.fromkeys(sparsity for _, sparsity in cells):
        texts = []
        for column in changes.values():
            of = [by_seed for cell, by_seed in zip(cells, column) if cell[1] == sparsity]
            seeds = set.intersection(*map(set, of))
            texts.append(paired.interval_text([statistics.mean(by_seed[k] for by_seed in of) for k in sorted(seeds)]))
        print_row([f"all of {float(sparsity) * 100:.0f} %", *texts])
    print()


def print_tests(cells, rung, column, zeros):
    ps = [paired.p_of(list(by_seed.values())) for by_seed in column]
    equal = [paired.equal_p(list(by_seed.values()), MARGIN) for by_seed in column]
    print_header([rung, "difference", "p", "p, Holm", "equal within 0.2: TOST", "TOST, Holm", "zeros, both orders"])
    for cell, by_seed, *tests in zip(cells, column, ps, paired.holm(ps), equal, paired.holm(equal)):
        texts = ["" if p is None else f"{p:.2g}" for p in tests]
        of_orders = [statistics.mean(rows) for (of, _), rows in zeros[cell].items() if of == rung]
        print_row([cell_name(cell), paired.interval_text(list(by_seed.values())), *texts,
                   ", ".join(f"{mean:.1f}" for mean in of_orders)])
    print()


def print_further(cells, rung, column):
    common = set.intersection(*map(set, column))
    if all(set(by_seed) == common for by_seed in column):
        return
    print_header([rung, "seeds of all cells", "further seeds", "all"])
    for cell, by_seed in zip(cells, column):
        first = [d for seed, d in by_seed.items() if seed in common]
        further = [d for seed, d in by_seed.items() if seed not in common]
        if further:
            print_row([cell_name(cell), *(paired.interval_text(values) for values in (first, further, first + further))])
    print()


def print_cell(accuracy, cell, changes):
    """changes: rung -> by seed, for the rungs that have one."""
    print(f"{cell_name(cell)}:\n")
    print_header(["rung", "first order", "second order", "difference", "p", "change from the rung before"])
    for rung, cells in accuracy.items():
        first, second = cells[cell].values()
        values = list(difference_of(cells[cell]).values())
        p = paired.p_of(values)
        change = paired.interval_text(list(changes[rung].values())) if rung in changes else ""
        print_row([rung, deviation_text(first.values()), deviation_text(second.values()), paired.interval_text(values),
                   "" if p is None else f"{p:.2g}", change])
    print()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    accuracy, zeros = read(sys.argv[1])
    cells = list(zeros)
    check(sys.argv[1], accuracy, cells)
    differences = {rung: [difference_of(of[cell]) for cell in cells] for rung, of in accuracy.items()}
    first, *later, _null = differences
    last = later[-1]

    def change(rung, since):
        return [paired.difference(new, old) for new, old in zip(differences[rung], differences[since])]

    changes = {rung: change(rung, before) for before, rung in zip([first, *later], later)}
    print_columns(cells, {"zeros": [range_text(zeros[cell]) for cell in cells],
                          **{rung: marked(column, mean_text) for rung, column in differences.items()}})
    print_columns(cells, {rung: marked(column, paired.interval_text) for rung, column in changes.items()})
    print_averages(cells, changes)
    print_tests(cells, last, differences[last], zeros)
    print_columns(cells, {f"change from {first} to {last}": marked(change(last, first), paired.interval_text)})
    print_further(cells, last, differences[last])
    for i, cell in enumerate(cells):
        print_cell(accuracy, cell, {rung: column[i] for rung, column in changes.items()})


if __name__ == "__main__":
    main()
