#!/usr/bin/env python3
"""The direction of dependencies, read from the #include lines.

One row per area: which areas its files may include. CMake's targets make most arrows link-time
facts; headers can be included without linking, so the lines are read too. Includes are direct ones:
what a header brings along is judged in that header's own row.
"""

import posixpath
import re

import tree

# (area of the including file, areas it may include); the longest matching area counts, and an area
# may always include itself. An area is a folder, or a prefix of file names where it does not end
# with "/".
RULES = [
    ("framework/base/", []),
    ("framework/", []),
    ("layers/", ["framework/"]),
    ("optim/", ["framework/"]),
    ("datasets/", ["framework/"]),
    ("compression/", ["layers/", "framework/"]),
    ("compression/integer/", ["framework/base/"]),
    ("apps/", ["framework/", "layers/", "optim/", "datasets/", "compression/"]),
    ("apps/lib/report/", ["framework/"]),
    ("apps/lib/tensorboard/", ["framework/base/"]),
    ("apps/infer", ["compression/integer/", "framework/base/"]),
    # The readers of all programs, side by side.
    ("tests/bench", ["framework/", "compression/", "optim/", "apps/bench/", "apps/lib/", "tests/"]),
    ("tests/fuzz", ["framework/", "datasets/", "compression/integer/", "apps/infer", "tests/"]),
    ("tests/hostile", ["framework/", "datasets/", "compression/integer/", "apps/infer", "tests/"]),
    ("tests/", ["framework/", "layers/", "optim/", "datasets/", "compression/", "apps/lib/"]),
    ("benchmarks/", ["framework/", "layers/", "optim/", "datasets/", "compression/", "apps/lib/"]),
]

# The network and the integer program meet in this folder only: lower.cpp translates one into the
# other, exact.cpp evaluates the network with the program's arithmetic.
NETWORK = "layers/"
PROGRAM = re.compile(r"compression/integer/(?!arithmetic\.h)")
BOTH = ("compression/lower/",)

# Outside libraries and the only areas that may include them.
LIBRARIES = [
    (r"hdf5\w*\.h|H5\w*\.h", ["framework/io/", "tests/io/"]),
    (r"openssl/.*", ["framework/io/"]),
    (r"cblas\.h|openblas\w*\.h|f77blas\.h", ["framework/kernels/"]),
    (r"omp\.h", ["framework/base/parallel"]),
    (r"CLI/.*", ["apps/"]),
    (r"doctest/.*", ["tests/"]),
]
LIBRARIES_NOT_IN = [
    (r"fmt/.*|nlohmann/.*", ["framework/base/", "compression/integer/", "apps/infer"]),
    (r"cmath|math\.h|cfenv|cfloat|complex|numbers|random", ["compression/integer/"]),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def _within(path, areas):
    return any(path.startswith(area) for area in areas)


def _rule(path):
    matching = [rule for rule in RULES if path.startswith(rule[0])]
    return max(matching, key=lambda rule: len(rule[0]), default=None)


def _project_include(path, target, known):
    """What is wrong with `path` including our own file `target`; None where nothing is."""
    if target not in known:
        return f'"{target}" is no file of the project; includes start at the root of the repository'
    area, allowed = _rule(path) or ("", [])
    if not area:
        return "this folder has no row in tests/structure/includes.py"
    if not _within(target, [area, *allowed]):
        return f'{area}* must not include "{target}"; it may include {", ".join([area, *allowed])}'
    return None


def _library_include(path, target):
    for pattern, areas in LIBRARIES:
        if re.fullmatch(pattern, target) and not _within(path, areas):
            return f"<{target}> belongs to {', '.join(areas)} only"
    for pattern, areas in LIBRARIES_NOT_IN:
        if re.fullmatch(pattern, target) and _within(path, areas):
            return f"<{target}> has no place in {', '.join(areas)}"
    return None


def check(root):
    complaints = []
    known = set(tree.files(root, tree.CODE))
    for path in sorted(known):
        code = tree.without_comments(tree.text(root, path) or "")
        ours = {}
        for match in _INCLUDE.finditer(code):
            line = tree.line_of(code, match.start())
            if match[1]:
                ours[posixpath.normpath(match[1])] = line
                wrong = _project_include(path, match[1], known)
            else:
                wrong = _library_include(path, match[2])
            if wrong:
                complaints.append(f"{path}:{line}: {wrong}")
        network = [target for target in ours if target.startswith(NETWORK)]
        program = [target for target in ours if PROGRAM.match(target)]
        if path.startswith("compression/") and network and program and not _within(path, BOTH):
            complaints.append(
                f'{path}:{ours[program[0]]}: sees the network ("{network[0]}") and the integer '
                f'program ("{program[0]}"); only {" and ".join(area + "*" for area in BOTH)} may')
    return complaints


if __name__ == "__main__":
    tree.main(check)
