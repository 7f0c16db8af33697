#!/usr/bin/env python3
"""The arena of generated C: what the header asks for is enough, and not one byte too many.

usage: arena_test.py BIN COUNT

Random programs run in arenas from malloc, between guards: those of AddressSanitizer where a
compiler has it, bytes of our own elsewhere.
"""

import os
import pathlib
import sys
import unittest

from compilers import C99, SANITIZE, Programs, missing

BIN = COUNT = None

# One self test in an arena of `bytes`, of which the program is told `told`, `odd` bytes behind an
# aligned address. Exit code: 0 passed, 1 failed, 2 refused the arena, 3 wrote beside it.
DRIVER = """
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include "r%(i)d.h"

#define GUARD %(guard)d /* bytes on either side */

static int intact(const unsigned char *guard)
{
  int i;
  for (i = 0; i < GUARD; ++i) {
    if (guard[i] != 0xa5) return 0;
  }
  return 1;
}

int main(int argc, char **argv)
{
  const size_t bytes = (size_t)(argc == 4 ? atoi(argv[1]) : 0);
  const size_t told = (size_t)(argc == 4 ? atoi(argv[2]) : 0);
  const size_t odd = (size_t)(argc == 4 ? atoi(argv[3]) : 0);
  unsigned char *all = (unsigned char *)malloc(odd + bytes + 2 * GUARD);
  int status;
  if (all == NULL) return 4;
  memset(all, 0xa5, odd + bytes + 2 * GUARD);
  status = r%(i)d_selftest(all + odd + GUARD, told);
  if (!intact(all + odd) || !intact(all + odd + GUARD + bytes)) return 3;
  free(all);
  return status == 0 ? 0 : status == R%(i)d_ERROR_ARENA ? 2 : 1;
}
"""
OVERFLOW = 66


class ArenaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = Programs(BIN, COUNT)
        reason = missing("gcc", C99 + SANITIZE)
        cls.sanitized = reason is None
        if reason:
            print(f"gcc {' '.join(C99 + SANITIZE)}: {reason}; guards of our own instead")
        flags = C99 + (SANITIZE if cls.sanitized else ["-O2"])
        for i in range(COUNT):
            text = DRIVER % {"i": i, "guard": 0 if cls.sanitized else 64}
            (cls.programs.folder / f"arena{i}.c").write_text(text)
            complaint = cls.programs.build(
                "gcc", flags, [f"r{i}.c", f"r{i}_selftest.c", f"arena{i}.c"], f"arena{i}")
            assert complaint is None, complaint

    def result(self, i, given, told, odd=0):
        done = self.programs.run([f"./arena{i}", str(given), str(told), str(odd)],
                                 env={**os.environ, "ASAN_OPTIONS": f"exitcode={OVERFLOW}"})
        return done.returncode, done.stderr

    def alignment(self, i):
        """Of the arena, as the header says."""
        return 2 if "at an even address" in self.programs.text(f"r{i}.h") else 1

    def test_the_size_of_the_header_is_enough(self):
        for i in range(COUNT):
            size = self.programs.number(i, "ARENA_SIZE")
            self.assertEqual(self.result(i, size, size), (0, ""), f"program {i}")

    def test_any_address_will_do_that_the_header_allows(self):
        aligned = 0
        for i in range(COUNT):
            size = self.programs.number(i, "ARENA_SIZE")
            odd = self.alignment(i)
            aligned += odd > 1
            self.assertEqual(self.result(i, size, size, odd), (0, ""), f"program {i}")
        self.assertIn(aligned, range(1, COUNT))

    def test_no_byte_is_too_many(self):
        """With the last one missing every program writes where it must not."""
        for i in range(COUNT):
            size = self.programs.number(i, "ARENA_SIZE")
            code, message = self.result(i, size - self.alignment(i), size)
            self.assertEqual(code, OVERFLOW if self.sanitized else 3, f"program {i}")
            if self.sanitized:
                self.assertIn("heap-buffer-overflow", message)

    def test_a_smaller_arena_is_refused(self):
        for i in range(COUNT):
            size = self.programs.number(i, "ARENA_SIZE")
            for told in (size - 1, 0):
                self.assertEqual(self.result(i, size, told), (2, ""), f"program {i}")


if __name__ == "__main__":
    BIN, COUNT = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
