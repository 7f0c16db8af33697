#!/usr/bin/env python3
"""The hooks of generated C: NAME_TABLE, where tables go, NAME_LAYER_BEGIN and NAME_LAYER_END.

usage: hooks_test.py BIN COUNT
"""

import pathlib
import re
import shutil
import sys
import unittest

from compilers import C99, CXX, Programs, missing

BIN = COUNT = None
SECTION = ".slow_tables"
COMPILERS = [("gcc", C99), ("g++", CXX), ("clang", C99)]

# The clock of a device would be read here; this one prints who called it.
HOOK_HEADER = """
#ifdef __cplusplus
extern "C"
#endif
void layer_hook(int program, int layer, int ends);
"""
HOOK = """
#include <stdio.h>
#include "hook.h"

void layer_hook(int program, int layer, int ends)
{
  printf("%d %d %d\\n", program, layer, ends);
}
"""


def steps(source):
    """The operations of NAME.c that do something, by their index: [(0, "conv2d"), ...]."""
    found = re.findall(r"^/\* \S+: (\w+)( and the max pooling behind it)? \*/\n(.*)", source, re.M)
    return [(i, kind) for i, (kind, _, next_line) in enumerate(found)
            if next_line != "/* the same codes */"]


def tables(source):
    """Names of the tables in NAME.c."""
    return re.findall(r"^R\d+_TABLE \w+ (\w+)\[", source, re.M)


class HooksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = Programs(BIN, COUNT)
        (cls.programs.folder / "hook.h").write_text(HOOK_HEADER)
        (cls.programs.folder / "hook.c").write_text(HOOK)

    def compilers(self):
        for compiler, flags in COMPILERS:
            reason = missing(compiler, flags)
            if reason:
                print(f"{compiler}: skipped: {reason}")
            else:
                yield compiler, flags

    def in_section(self, i):
        return f"-DR{i}_TABLE=static const __attribute__((section(\"{SECTION}\")))"

    def symbols(self, compiler, flags, i, *more):
        """{name: (section, bytes)} of the object of program i."""
        done = self.programs.run([compiler, *flags, "-c", *more, f"r{i}.c", "-o", "one.o"])
        self.assertEqual(done.returncode, 0, done.stderr)
        listing = self.programs.run(["objdump", "-t", "one.o"]).stdout
        # address flags section TAB bytes name; C++ writes the length of a static's name before it
        found = re.findall(r"^\w+ .{7} (\S+)\t(\w+) +(?:_ZL\d+)?(\w+)$", listing, re.M)
        return {name: (section, int(size, 16)) for section, size, name in found}

    @unittest.skipUnless(shutil.which("objdump"), "no objdump here")
    def test_every_table_lands_in_the_section_that_is_named(self):
        for compiler, flags in self.compilers():
            for i in range(COUNT):
                source = self.programs.text(f"r{i}.c")
                expected = set(tables(source))
                symbols = self.symbols(compiler, flags, i, "-O0", self.in_section(i))
                there = {name for name, (section, _) in symbols.items() if section == SECTION}
                self.assertEqual(there, expected, f"{compiler}, program {i}")

    @unittest.skipUnless(shutil.which("objdump"), "no objdump here")
    def test_the_tables_take_what_the_size_report_says(self):
        for i in range(COUNT):
            symbols = self.symbols("gcc", C99, i, "-O0", self.in_section(i))
            reported = int(re.search(r"all tables (\d+) bytes", self.programs.text(f"r{i}.h"))[1])
            there = sum(size for section, size in symbols.values() if section == SECTION)
            self.assertEqual(there, reported, f"program {i}")

    def run_all(self, compiler, flags, hooks, *more):
        complaint = self.programs.build(
            compiler, flags + hooks, self.programs.sources() + ["all.c", *more], "hooked")
        self.assertIsNone(complaint)
        done = self.programs.run(["./hooked"])
        self.assertEqual(done.returncode, 0, f"program {done.returncode - 1} gives other codes")
        return done.stdout

    def test_tables_in_a_section_hold_the_same_numbers(self):
        for compiler, flags in self.compilers():
            self.run_all(compiler, flags + ["-Os"], [self.in_section(i) for i in range(COUNT)])

    def test_a_timer_is_called_around_every_layer_in_order(self):
        hooks = ["-include", "hook.h"]
        for i in range(COUNT):
            hooks += [f"-DR{i}_LAYER_BEGIN(layer)=layer_hook({i}, layer, 0)",
                      f"-DR{i}_LAYER_END(layer)=layer_hook({i}, layer, 1)"]
        kinds, expected = set(), []
        for i in range(COUNT):
            layers = steps(self.programs.text(f"r{i}.c"))
            kinds |= {kind for _, kind in layers}
            self.assertLessEqual(len(layers), self.programs.number(i, "LAYERS"))
            images = int(re.search(r"#define IMAGES (\d+)",
                                   self.programs.text(f"r{i}_selftest.c"))[1])
            calls = [f"{i} {layer} {ends}" for layer, _ in layers for ends in (0, 1)]
            self.assertTrue(all(layer < self.programs.number(i, "LAYERS") for layer, _ in layers))
            expected += images * calls
        self.assertGreater(len(kinds), 6)
        for compiler, flags in self.compilers():
            output = self.run_all(compiler, flags + ["-O2"], hooks, "hook.c")
            self.assertEqual(output.splitlines(), expected)


if __name__ == "__main__":
    BIN, COUNT = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
