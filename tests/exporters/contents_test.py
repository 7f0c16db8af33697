#!/usr/bin/env python3
"""What generated C asks of a device: three headers, three functions, and nothing else.

usage: contents_test.py BIN COUNT

No allocation, no floating point, no state: looked for in the sources, and in the objects of every
compiler of this machine, where a call of the compiler's own library would show.
"""

import pathlib
import re
import sys
import unittest

from compilers import C99, CXX, Programs, missing

BIN = COUNT = None

# What objects may ask for: string.h's functions, and of a compiler's library those that divide and
# multiply whole numbers where a processor cannot.
ALLOWED = {"memcpy", "memmove", "memset"}
ARM = {"__aeabi_idiv", "__aeabi_uidiv", "__aeabi_lmul", "__aeabi_llsl", "__aeabi_lasr",
       "__aeabi_llsr"}
PLAIN = ["-fno-pic", "-fno-stack-protector", "-U_FORTIFY_SOURCE"]
# The compiler, its flags, what else it may ask for. -mgeneral-regs-only refuses any floating point.
OBJECTS = [
    ("gcc", C99 + PLAIN + ["-O0"], set()),
    ("gcc", C99 + PLAIN + ["-O3"], set()),
    ("gcc", C99 + PLAIN + ["-O2", "-mgeneral-regs-only"], set()),
    ("gcc", C99 + PLAIN + ["-Os", "-m32"], set()),
    ("g++", CXX + PLAIN + ["-O0", "-fno-exceptions"], set()),
    ("clang", C99 + PLAIN + ["-O0"], set()),
    ("clang", C99 + PLAIN + ["-Os", "-m32"], set()),
    ("arm-none-eabi-gcc", C99 + ["-O0", "-mcpu=cortex-m0", "-mthumb"], ARM),
    ("arm-none-eabi-gcc", C99 + ["-Os", "-mcpu=cortex-m3", "-mthumb"], ARM),
]
FORBIDDEN = r"\b(float|double|malloc|calloc|realloc|free|alloca|printf)\b"


def code_of(text):
    """Without comments and directives."""
    return re.sub(r"^#.*$", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S), flags=re.M)


class SourceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = Programs(BIN, COUNT)

    def includes(self, name):
        return set(re.findall(r"^\s*#\s*include\s*(\S+)", self.programs.text(name), re.M))

    def test_three_headers_of_the_library(self):
        for i in range(COUNT):
            own = f'"r{i}.h"'
            self.assertEqual(self.includes(f"r{i}.h"), {"<stdint.h>", "<stddef.h>"})
            self.assertEqual(self.includes(f"r{i}.c"), {own, "<string.h>"})
            self.assertEqual(self.includes(f"r{i}_selftest.c"), {own})

    def test_no_floating_point_and_no_allocation(self):
        number = r"(?<![\w.])(\d+\.\d*|\.\d+|\d+[eE][+-]?\d+)"
        for i in range(COUNT):
            for name in (f"r{i}.h", f"r{i}.c", f"r{i}_selftest.c"):
                code = code_of(self.programs.text(name))
                self.assertIsNone(re.search(FORBIDDEN, code), name)
                self.assertIsNone(re.search(number, code), name)


class ObjectTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = Programs(BIN, COUNT)

    def symbols(self, compiler, flags, i):
        """[(type as nm writes it, name)] of program i."""
        done = self.programs.run([compiler, *flags, "-c", f"r{i}.c", "-o", "one.o"])
        self.assertEqual(done.returncode, 0, f"{compiler} {flags}\n{done.stderr}")
        nm = "arm-none-eabi-nm" if compiler.startswith("arm") else "nm"
        listing = self.programs.run([nm, "one.o"]).stdout
        return re.findall(r"^\s*[0-9a-f]* ([A-Za-z]) (\S+)$", listing, re.M)

    def test_objects_ask_for_string_functions_and_have_no_state(self):
        for compiler, flags, more in OBJECTS:
            title = " ".join([compiler, *flags])
            bare = ["-nostdlib", "-Wl,-e0"] if more else []
            reason = missing(compiler, flags + bare)
            if reason:
                print(f"{title}: skipped: {reason}")
                continue
            asked = set()
            for i in range(COUNT):
                symbols = self.symbols(compiler, flags, i)
                asked |= {name for kind, name in symbols if kind == "U"}
                state = [name for kind, name in symbols if kind in "bBdDCsSgG"]
                self.assertEqual(state, [], f"{title}: program {i}: data that can be written")
                given = {name for kind, name in symbols if kind == "T"}
                self.assertLessEqual({f"r{i}_run", f"r{i}_label"}, given)
                self.assertLessEqual(given, {f"r{i}_run", f"r{i}_run_pixels", f"r{i}_label"})
            self.assertLessEqual(asked, ALLOWED | more, title)
            self.assertTrue(asked, f"{title}: nothing seen")
            print(f"{title}: asks for {', '.join(sorted(asked))}", flush=True)


if __name__ == "__main__":
    BIN, COUNT = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
