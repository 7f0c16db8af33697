#!/usr/bin/env python3
"""Do the tests notice? Changes one line at a time in a private copy of the tree, builds, and runs the
test that should turn red.

    mutate.py [--only TEXT] [--part I/N] [--folder DIR] [--jobs N]
    mutate.py --check       whether every line and test is still there; builds nothing

The list is mutants.py. Before anything is changed, all named tests must be green. A mutant whose line is
no longer there (exactly once), or that does not compile, is refused: the list has to keep up. Exit
code 0: every mutant was killed. The copy is kept in --folder (default: a temporary one that is removed).
"""

import argparse
import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 900  # of a test


class Refused(Exception):
    pass


class Copy:
    """The tree as git sees it, changes included, with a build of its own."""

    def __init__(self, folder, jobs):
        self.folder, self.jobs = pathlib.Path(folder).resolve(), jobs
        self.build = self.folder / "build" / "release"

    def make(self):
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=ROOT, check=True, capture_output=True).stdout
        for name in filter(None, listed.decode().split("\0")):
            source, target = ROOT / name, self.folder / name
            if not source.is_file():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != source.read_bytes():
                shutil.copy(source, target)
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        # A mutant may leave a variable without use.
        self.run(["cmake", "-S", self.folder, "--preset", "release", "-DPARE_WERROR=OFF", *launcher])

    def run(self, command, check=True, seconds=None):
        done = subprocess.run([str(word) for word in command], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        if check and done.returncode != 0:
            raise Refused(f"{' '.join(str(w) for w in command)}:\n{done.stdout[-2000:]}")
        return done

    def make_targets(self, test):
        targets = [f"test_{test[1]}"] if test[0] == "unit" else ["train", "faults", "write_digits"]
        self.run(["ninja", "-C", self.build, f"-j{self.jobs}", *targets])

    def is_green(self, test):
        """Whether the test passes. Throws Refused where no test case has the name."""
        try:
            if test[0] == "script":
                script, *arguments = test[1:]
                return self.run([sys.executable, "-B", self.folder / "tests/reliability" / script,
                                 self.build / "bin", *arguments], False, SECONDS).returncode == 0
            done = self.run([self.build / "bin" / f"test_{test[1]}", f"-tc={test[2]}"], False, SECONDS)
        except subprocess.TimeoutExpired:
            return False  # a loop that never ends is noticed, too
        if re.search(r"test cases:\s+0 ", done.stdout):
            raise Refused(f"no test case is called {test[2]}")
        return done.returncode == 0


def mutated(text, mutant):
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if line.strip() == mutant.line]
    if len(places) != 1:
        raise Refused(f"the line occurs {len(places)} times: {mutant.line}")
    indentation = lines[places[0]][:-len(lines[places[0]].lstrip())]
    lines[places[0]] = indentation + mutant.becomes if mutant.becomes else ""
    return "\n".join(lines), places[0] + 1


def judge(copy, mutant):
    path = copy.folder / mutant.path
    original = path.read_text()
    changed, line = mutated(original, mutant)
    path.write_text(changed)
    try:
        copy.make_targets(mutant.test)
        return "SURVIVED" if copy.is_green(mutant.test) else "killed", line
    finally:
        path.write_text(original)


def chosen(options):
    part, parts = (int(x) for x in options.part.split("/"))
    everything = [(folder, m) for folder, mutants in MUTANTS.items() for m in mutants
                  if options.only in m.path + " " + m.what]
    return everything[part - 1::parts]


def require_green(copy, mutants):
    tests = sorted({m.test for _, m in mutants})
    for test in tests:
        copy.make_targets(test)
        if not copy.is_green(test):
            raise Refused(f"fails without any mutant: {test}")
    print(f"{len(tests)} tests are green without mutants", flush=True)


def cases_of(program):
    """The names of a doctest program's cases, strings that C++ joins joined."""
    cases = []
    for path in sorted((ROOT / "tests" / program).glob("*.cpp")):
        for name in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', path.read_text()):
            cases.append("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', name)))
    return cases


def require_cases(test):
    """Throws Refused where one of the patterns of a test fits no case."""
    if test[0] == "unit":
        for pattern in test[2].split(","):
            if not fnmatch.filter(cases_of(test[1]), pattern):
                raise Refused(f"no test case of {test[1]} is called {pattern}")


def check(mutants):
    """Exit code 1, and what is wrong, where a line is not there exactly once or a test has gone."""
    stale = 0
    for _, mutant in mutants:
        try:
            mutated((ROOT / mutant.path).read_text(), mutant)
            require_cases(mutant.test)
        except (OSError, Refused) as wrong:
            print(f"{mutant.path}: {mutant.what}: {wrong}")
            stale += 1
    print(f"{len(mutants) - stale} of {len(mutants)} lines are there, with their tests")
    return 1 if stale or not mutants else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="only look whether the lines and tests are there")
    parser.add_argument("--only", default="", help="mutants whose file or description holds this text")
    parser.add_argument("--part", default="1/1", help="every N-th mutant, from the I-th")
    parser.add_argument("--folder", help="where the copy is; it is kept")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    mutants = chosen(options)
    if options.check:
        return check(mutants)
    with tempfile.TemporaryDirectory(prefix="pare-mutants-") as temporary:
        copy = Copy(options.folder or temporary, options.jobs)
        copy.make()
        require_green(copy, mutants)
        counts = {}
        for folder, mutant in mutants:
            start = time.monotonic()
            try:
                verdict, line = judge(copy, mutant)
            except Refused as refused:
                verdict, line = f"REFUSED ({refused})", 0
            counts.setdefault(folder, []).append(verdict == "killed")
            test = " ".join(mutant.test[1:])
            print(f"{verdict:9} {mutant.path}:{line}  {mutant.what}  [{test}]  "
                  f"{time.monotonic() - start:.0f} s", flush=True)
        for folder, killed in counts.items():
            print(f"{folder}: {sum(killed)} of {len(killed)} killed")
        return 0 if all(all(killed) for killed in counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
