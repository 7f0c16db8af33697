#!/usr/bin/env python3
"""Random programs as generated C give the engine's codes under every compiler of this machine.

usage: c99_test.py BIN COUNT

The self test of each program holds the codes of the engine's reference kernels. All must compile
without a warning, as C99 and as C++, and pass at every level of optimisation, for 32-bit x86 and
under UndefinedBehaviorSanitizer and AddressSanitizer too. A compiler that is missing is said and
skipped.
"""

import pathlib
import sys

from compilers import C99, CXX, SANITIZE, Programs, missing

VARIANTS = [
    ("gcc", C99 + ["-O0"]),
    ("gcc", C99 + ["-O2"]),
    ("gcc", C99 + ["-Os"]),
    ("gcc", C99 + ["-O3", "-march=native"]),
    ("gcc", C99 + ["-O2", "-m32"]),
    ("gcc", C99 + ["-Os", "-m32"]),
    ("g++", CXX + ["-O2"]),
    ("clang", C99 + ["-O0"]),
    ("clang", C99 + ["-O2"]),
    ("clang", C99 + ["-Os"]),
    ("clang", C99 + ["-O2", "-m32"]),
    ("clang++", CXX + ["-O2"]),
    ("gcc", C99 + SANITIZE),
    ("clang", C99 + SANITIZE),
]


def check(programs, compiler, flags):
    """A complaint, or None."""
    complaint = programs.build(compiler, flags, programs.sources() + ["all.c"], "all")
    if complaint:
        return complaint
    run = programs.run(["./all"])
    if run.returncode != 0:
        return f"gives other codes in program {run.returncode - 1}\n{run.stderr[:4000]}"
    return None


def main():
    bin_folder, count = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    programs = Programs(bin_folder, count)
    failed = 0
    for compiler, flags in VARIANTS:
        title = " ".join([compiler, *flags])
        reason = missing(compiler, flags)
        if reason:
            print(f"{title}: skipped: {reason}")
            continue
        complaint = check(programs, compiler, flags)
        print(f"{title}: {complaint or f'{count} programs give the codes of the engine'}",
              flush=True)
        failed += complaint is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
