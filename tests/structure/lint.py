#!/usr/bin/env python3
"""Things that must not be written, each with its reason; one row per rule.

The rules guard what no compiler warns of: results that depend on the number of threads or on the
C++ library, checks that vanish in release builds, paths that exist on one machine only. Style that
clang-format knows is not checked here.
"""

import re
from typing import Callable, NamedTuple

import tree

CPP = (".cpp", ".h")
BUILD = (".cmake", "CMakeLists.txt", "CMakePresets.json", "pare", ".sh", ".ci/run")


def raw(content):
    return content


class Rule(NamedTuple):
    pattern: str
    reason: str
    where: tuple = ("",)    # prefixes of paths it holds in
    but_not: tuple = ()     # prefixes of paths it does not
    suffixes: tuple = CPP   # how those paths end
    view: Callable = tree.without_strings  # of the file's text


# Holds in every text file. Brackets around a letter keep these rules from matching themselves.
EVERYWHERE = {"but_not": (".ci/run",), "suffixes": ("",), "view": raw}

RULES = [
    Rule(r"#[ \t]*pragma[ \t]+omp(?:[^\n\\]|\\\n)*\breduction[ \t]*\(",
         "the order of an OpenMP reduction depends on the number of threads; add partial results "
         "of shape-sized tiles in a fixed order"),
    Rule(r"#[ \t]*pragma[ \t]+omp\b(?![ \t]+simd\b)",
         "threads only through framework/base/parallel.h", but_not=("framework/base/parallel",)),
    Rule(r'\b_Pragma\s*\(\s*"omp',
         "OpenMP pragmas stand in lines of their own", view=tree.without_comments),
    Rule(r"-ffast-math|-Ofast|-funsafe-math-optimizations|-fassociative-math",
         "results would depend on the compiler's mood", suffixes=CPP + BUILD, view=raw),
    Rule(r"\bstd\s*::\s*(?:ranges\s*::\s*)?(?:random_)?shuffle\b|\bstd\s*::\s*\w+_distribution\b",
         "differs between C++ libraries; use framework/random.h"),
    Rule(r"\bstd\s*::\s*(?:random_device\b|s?rand\s*\()|(?<![\w.:>])s?rand\s*\(",
         "everything random is a function of the seed; use framework/random.h"),
    Rule(r"(?<!\w)assert\s*\(",
         "vanishes in release builds; throw an error that says where, what was expected, what came "
         "and what to try (framework/base/error.h)",
         where=("framework/base/", "framework/io/", "framework/config/", "datasets/",
                "compression/integer/")),
    Rule(r"\bH5\w*\s*\(|\bH5\w+_t\b|\bhid_t\b",
         "HDF5 stays in framework/io and its tests", but_not=("framework/io/", "tests/io/")),
    Rule(r"(?<![\w.~-])/(?:wor[k]|tm[p])(?![\w-])|\.\./share[d]\b",
         "a path of one machine; take it from an option, an environment variable or "
         "std::filesystem::temp_directory_path()", **EVERYWHERE),
    Rule(r"https?://[\w.-]*\b(?:debian\.org|pypi\.org|pythonhosted\.org|npmjs\.org|crates\.io|"
         r"anaconda\.org|proxy\.golang\.org)\b",
         "a package host; the system's own configuration knows where packages are", **EVERYWHERE),
    Rule(r"\b(?:TODO|FIXME|XXX)\b",
         "do it, or write it down in the README's limits",
         suffixes=CPP + BUILD + (".py",), but_not=("tests/structure/",), view=raw),
    Rule(r"\A(?!(?:.*\n)*?#pragma once\n)", "a header needs #pragma once", suffixes=(".h",)),
]


def check(root):
    complaints = []
    for path in tree.files(root):
        rules = [rule for rule in RULES
                 if path.startswith(rule.where) and path.endswith(rule.suffixes)
                 and not (rule.but_not and path.startswith(rule.but_not))]
        content = tree.text(root, path) if rules else None
        if content is None:
            continue
        views = {}
        for rule in rules:
            if rule.view not in views:
                views[rule.view] = rule.view(content)
            for match in re.finditer(rule.pattern, views[rule.view]):
                line = tree.line_of(views[rule.view], match.start())
                found = f"'{' '.join(match[0].split())}': " if match[0] else ""
                complaints.append(f"{path}:{line}: {found}{rule.reason}")
    return complaints


if __name__ == "__main__":
    tree.main(check)
