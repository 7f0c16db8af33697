#!/usr/bin/env python3
"""The structure tests, tested: every rule must catch an offence in a small tree made for it, and
accept its opposite.

A gate that lets everything through looks exactly like a clean tree; this file is what tells them
apart.
"""

import pathlib
import tempfile
import unittest

import docs
import includes
import lint
import tree

NETWORK = '#include "layers/network.h"\n'
PROGRAM = '#include "compression/integer/program.h"\n'
ARITHMETIC = '#include "compression/integer/arithmetic.h"\n'

CLEAN = {
    "framework/base/error.h": "#pragma once\n",
    "framework/base/parallel.cpp": "#pragma omp parallel for\n",
    "framework/tensor/tensor.h": '#pragma once\n#include "framework/base/error.h"\n',
    "framework/io/hdf5.cpp": "#include <hdf5.h>\nvoid f() { H5Fclose(0); }\n",
    "layers/network.h": '#pragma once\n#include "framework/tensor/tensor.h"\n',
    "datasets/dataset.h": '#pragma once\n#include "framework/tensor/tensor.h"\n',
    "optim/optimizer.h": '#pragma once\n#include "framework/tensor/tensor.h"\n',
    "compression/integer/arithmetic.h": '#pragma once\n#include "framework/base/error.h"\n',
    "compression/integer/program.h": '#pragma once\n#include "compression/integer/arithmetic.h"\n',
    "compression/prune/mask.cpp": NETWORK + ARITHMETIC,
    "compression/lower/lower.cpp": NETWORK + PROGRAM,
    "compression/lower/exact.cpp": NETWORK + PROGRAM,
    "apps/infer.cpp": PROGRAM + '#include "framework/base/error.h"\n',
    "apps/train.cpp": '#include <CLI/CLI.hpp>\n#include "datasets/dataset.h"\n' + NETWORK,
    "tests/layers/network_test.cpp": '#include "layers/network.h"\n#include <doctest/doctest.h>\n',
    "layers/README.md": "* `network.h`: nodes. See [tensors](../framework/tensor/tensor.h).\n",
}

# What is added to the clean tree, and the complaint's beginning.
WRONG_INCLUDES = [
    ("framework/base/file.cpp", '\n#include "framework/tensor/tensor.h"\n', 2),
    ("framework/tensor/tensor.cpp", '#include "layers/network.h"\n', 1),
    ("framework/random.cpp", '#  include "optim/optimizer.h"\n', 1),
    ("layers/dense.cpp", '#include "compression/prune/mask.h"\n', 1),
    ("layers/conv2d.cpp", '#include "datasets/dataset.h"\n', 1),
    ("layers/add.cpp", '#include "optim/optimizer.h"\n', 1),
    ("optim/adam.cpp", '#include "layers/network.h"\n', 1),
    ("datasets/mnist.cpp", '#include "layers/network.h"\n', 1),
    ("compression/integer/engine.cpp", '/* engine */\n\n#include "framework/tensor/tensor.h"\n', 3),
    ("compression/integer/plan.cpp", '#include "layers/network.h"\n', 1),
    ("compression/integer/scale.cpp", "#include <cmath>\n", 1),
    ("compression/prune/magnitude.cpp", '#include "optim/optimizer.h"\n', 1),
    ("compression/quantize/uniform.cpp", '#include "datasets/dataset.h"\n', 1),
    ("compression/attach.cpp", NETWORK + PROGRAM, 2),
    ("apps/infer_images.cpp", '#include "datasets/dataset.h"\n', 1),
    ("apps/infer_labels.cpp", '#include "framework/tensor/tensor.h"\n', 1),
    ("apps/inspect.cpp", '#include "tests/layers/network_test.cpp"\n', 1),
    ("layers/relu.cpp", '#include "network.h"\n', 1),
    ("layers/pool.cpp", '#include "layers/nothing.h"\n', 1),
    ("layers/flatten.cpp", '#include "../layers/network.h"\n', 1),
    ("elsewhere/a.cpp", '#include "layers/network.h"\n', 1),
    ("datasets/npy.cpp", "#include <hdf5.h>\n", 1),
    ("datasets/hash.cpp", "#include <openssl/evp.h>\n", 1),
    ("framework/base/format.cpp", "#include <fmt/format.h>\n", 1),
    ("layers/gemm.cpp", "#include <cblas.h>\n", 1),
    ("layers/threads.cpp", "#include <omp.h>\n", 1),
]

MACHINE_PATHS = ["/wor" + "k/data", "/tm" + "p/x", "../share" + "d/data"]
HOST = "https://" + "deb.debian.org/debian"

OFFENCES = [
    ("layers/a.cpp", "int x;\n#pragma omp simd reduction(+ : x)\n", 2),
    ("framework/base/parallel_sum.cpp", "#pragma omp parallel for \\\n    reduction(+ : x)\n", 1),
    ("layers/b.cpp", "#pragma omp parallel for\n", 1),
    ("layers/c.cpp", '_Pragma("omp parallel for")\n', 1),
    ("cmake/Flags.cmake", "\nadd_compile_options(-ffast-math)\n", 2),
    ("layers/CMakeLists.txt", "add_compile_options(-Ofast)\n", 1),
    ("datasets/d.cpp", "void f() { std::shuffle(a, b, c); }\n", 1),
    ("datasets/e.cpp", "std::normal_distribution<float> normal;\n", 1),
    ("datasets/f.cpp", "int x = rand();\n", 1),
    ("datasets/g.cpp", "std::random_device device;\n", 1),
    ("framework/io/h.cpp", "\n\nvoid f(int n) { assert(n > 0); }\n", 3),
    ("compression/integer/i.cpp", "void f(int n) { assert (n > 0); }\n", 1),
    ("layers/j.cpp", "void f() { H5Fopen(name); }\n", 1),
    ("apps/k.cpp", "hid_t file;\n", 1),
    ("tests/layers/k_test.cpp", "hid_t file;\n", 1),
    ("README.md", f"see {HOST}\n", 1),
    ("layers/l.cpp", "// TODO: more\n", 1),
    ("layers/m.h", "// no guard\n", 1),
] + [(f"docs/{i}.md", f"\n    ls {path}\n", 2) for i, path in enumerate(MACHINE_PATHS)]

HARMLESS = {
    "layers/a.cpp": '// rand() and std::shuffle in a comment\nconst char* s = "H5Fopen( rand()";\n',
    "layers/b.cpp": "#pragma omp simd\n",
    "tests/io/hostile_test.cpp": "void f() { H5Fclose(0); }\n",
    "datasets/c.cpp": 'static_assert(sizeof(int) == 4);\nint operand(int);\nint x = operand(1);\n',
    "datasets/d.cpp": "const int n = 1'000'000;  // 'quoted'\n",
    ".ci/run": f"ls {MACHINE_PATHS[2]}\n",
    "docs/paths.md": "runs/work/a, tmp/x, ~/tmp and framework/work\n",
    "build/x.cpp": "int x = rand();\n",
}


class Structure(unittest.TestCase):
    def complaints(self, check, *trees):
        with tempfile.TemporaryDirectory() as root:
            for path, content in [item for files in trees for item in files.items()]:
                target = pathlib.Path(root, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content, encoding="utf-8")
            return check(root)

    def check_each(self, check, offences):
        for path, content, line in offences:
            with self.subTest(path=path, content=content):
                found = self.complaints(check, CLEAN, {path: content})
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{path}:{line}: "), found)

    def test_a_clean_tree_has_no_complaints(self):
        for module in (includes, lint, docs):
            self.assertEqual(self.complaints(module.check, CLEAN), [])

    def test_every_wrong_include_is_found_with_its_line(self):
        self.check_each(includes.check, WRONG_INCLUDES)

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(self.complaints(includes.check, CLEAN, {
            "optim/a.cpp": f"/*\n{NETWORK}*/\n// {NETWORK}"}), [])

    def test_every_offence_is_found_with_its_line(self):
        self.check_each(lint.check, OFFENCES)

    def test_no_rule_is_without_an_offence_that_it_catches(self):
        reasons = [complaint for path, content, _ in OFFENCES
                   for complaint in self.complaints(lint.check, {path: content})]
        for rule in lint.RULES:
            self.assertTrue(any(rule.reason in reason for reason in reasons), rule)

    def test_what_only_looks_like_an_offence_is_none(self):
        self.assertEqual(self.complaints(lint.check, CLEAN, HARMLESS), [])

    def test_a_file_that_its_readme_forgets_is_named(self):
        found = self.complaints(docs.check, CLEAN, {"layers/dense.cpp": "", "layers/dense.h": ""})
        self.assertEqual(len(found), 1)
        self.assertIn("does not mention dense", found[0])
        # A part of another word is no mention.
        self.assertTrue(self.complaints(docs.check, {"a/net.cpp": "", "a/README.md": "network"}))

    def test_links_that_lead_nowhere_are_found(self):
        page = {"docs/b.md": "", "docs/a.md":
                "ok\n[b](b.md#part) [c](../docs/c.md) [top](#top) [out](https://example.org/x)\n"
                "`[code](no.md)`\n```\n[fence](no.md)\n```\n[ref]: gone.md\n"}
        found = self.complaints(docs.check, page)
        places = [complaint.split(": ")[0] for complaint in found]
        self.assertEqual(places, ["docs/a.md:2", "docs/a.md:7"])

    def test_comments_go_and_lines_stay(self):
        code = 'a; // b\n"//c" /* d\n e */ f;\nR"(// g\n)" \'"\' // h\n'
        self.assertEqual(tree.without_comments(code),
                         'a;     \n"//c"     \n      f;\nR"(// g\n)" \'"\'     \n')
        self.assertEqual(tree.without_strings("x = \"a\\\"b\"; y = 'c';"), 'x = ""; y = "";')


if __name__ == "__main__":
    unittest.main()
