#!/usr/bin/env python3
"""Random programs as generated C give the engine's codes under every compiler of this machine.

usage: c99_test.py BIN COUNT

The self test of each program holds the codes of the engine's reference kernels. All must compile
without a warning, as C99 and as C++, and pass at every level of optimisation, for 32-bit x86 and
under UndefinedBehaviorSanitizer and AddressSanitizer too. A compiler that is missing is said and
skipped.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
C99, CXX = ["-std=c99"], ["-x", "c++", "-std=c++17"]
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
VARIANTS = [
    ("gcc", C99 + ["-O0"]),
    ("gcc", C99 + ["-O2"]),
    ("gcc", C99 + ["-Os"]),
    ("gcc", C99 + ["-O3", "-march=native"]),
    ("gcc", C99 + ["-Os", "-m32"]),
    ("g++", CXX + ["-O2"]),
    ("clang", C99 + ["-O0"]),
    ("clang", C99 + ["-O2"]),
    ("clang", C99 + ["-Os"]),
    ("clang++", CXX + ["-O2"]),
    ("gcc", C99 + SANITIZE),
]


def works(compiler, flags, folder):
    """Whether the compiler is there and links a program with these flags (-m32 needs a library)."""
    if shutil.which(compiler) is None:
        return False
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    return subprocess.run([compiler, *flags, "empty.c", "-o", "empty"], cwd=folder,
                          stderr=subprocess.DEVNULL).returncode == 0


def check(compiler, flags, folder, sources):
    """A complaint, or None."""
    build = subprocess.run(
        [compiler, *flags, *WARNINGS, *sources, "-o", "all"], cwd=folder,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if build.returncode != 0:
        return "does not compile cleanly:\n" + build.stdout[:4000]
    run = subprocess.run(["./all"], cwd=folder, text=True, stderr=subprocess.PIPE, timeout=300)
    if run.returncode != 0:
        return f"gives other codes in program {run.returncode - 1}\n{run.stderr[:4000]}"
    return None


def main():
    bin_folder, count = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([str(bin_folder / "export_random_c99"), name, str(count)], check=True)
        sources = [f"r{i}{kind}.c" for i in range(count) for kind in ("", "_selftest")] + ["all.c"]
        without_main = [f"-DR{i}_SELFTEST_WITHOUT_MAIN" for i in range(count)]
        for compiler, flags in VARIANTS:
            title = " ".join([compiler, *flags])
            if not works(compiler, flags, folder):
                print(f"{title}: not on this machine, skipped")
                continue
            complaint = check(compiler, flags + without_main, folder, sources)
            print(f"{title}: {complaint or f'{count} programs give the codes of the engine'}",
                  flush=True)
            failed += complaint is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
