#!/usr/bin/env python3
"""Runs the commands of a Markdown page as its reader would: every code block that starts with a
command is one shell script, all blocks of a page run in order in one folder.

usage: commands.py BIN ROOT PAGE...

What differs from a reader's shell: `./pare train` and `./pare experiment` get --smoke (512 images,
20 steps a phase), the programs are taken from BIN without building them, and `./pare test` and
`./pare build` do nothing, for this is a test. A block that cannot run here says why in the page:
<!-- not run: reason --> on the line before it.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

STARTS = ("./pare", "benchmarks/", "python3 ", "for ", "env ", "PARE_", "cd ", "mkdir ", "cat ")
FENCES = ("", "sh", "bash")
NOT_RUN = re.compile(r"<!--\s*not run:\s*(\S.*?)\s*-->")
SECONDS = 7000  # for runs by hand; ctest has its own limit

SHIM = """#!/bin/sh
app=$1
case $app in
  ''|help) exec '{root}/pare' "$@" ;;
  test|build) exit 0 ;;
esac
shift
case $app in train|experiment)
  case " $* " in
    *' --smoke '*|*' --plan '*|*' --print-config '*|*' --help '*|*' --dry-run '*|*' --collect '*) ;;
    *) set -- "$@" --smoke ;;
  esac ;;
esac
exec '{bin}'/"$app" "$@"
"""


def blocks(text):
    """(line number, what the line before says, code) of every fenced or indented block."""
    lines = text.split("\n")
    found, i = [], 0
    while i < len(lines):
        fence = re.match(r"```(\w*)\s*$", lines[i])
        start = i
        if fence:
            i += 1
            while i < len(lines) and not lines[i].startswith("```"):
                i += 1
            if fence[1] in FENCES:
                found.append((start + 1, before(lines, start), "\n".join(lines[start + 1:i])))
        elif lines[i].startswith("    ") and (i == 0 or not lines[i - 1].strip()):
            while i < len(lines) and (lines[i].startswith("    ") or not lines[i].strip()):
                i += 1
            code = "\n".join(line[4:] for line in lines[start:i]).rstrip()
            found.append((start + 1, before(lines, start), code))
            continue
        i += 1
    return found


def before(lines, index):
    index -= 1
    while index >= 0 and not lines[index].strip():
        index -= 1
    return lines[index] if index >= 0 else ""


def scripts(text):
    """Blocks that are commands and not excused."""
    return [(line, code) for line, said, code in blocks(text)
            if code.startswith(STARTS) and not NOT_RUN.search(said)]


def prepare(folder, bin_folder, root):
    shim = folder / "pare"
    shim.write_text(SHIM.format(bin=bin_folder, root=root))
    shim.chmod(0o755)
    for name in ("configs", "docs", "benchmarks", "tests"):
        (folder / name).symlink_to(root / name)


def run_page(page, bin_folder, root):
    """Complaints about the page."""
    todo = scripts(page.read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder, bin_folder, root)
        for line, code in todo:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=folder, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=SECONDS,
                                  env={**os.environ, "PARE_HOME": str(root)})
            if done.returncode != 0:
                tail = "\n".join(done.stdout.strip().split("\n")[-15:])
                return [f"{page.relative_to(root)}:{line}: exit code {done.returncode}\n"
                        f"{code}\n----\n{tail}"]
    print(f"{page.relative_to(root)}: {len(todo)} blocks of commands work")
    return []


def main(arguments):
    bin_folder, root = (pathlib.Path(a).resolve() for a in arguments[:2])
    complaints = []
    for page in arguments[2:]:
        complaints += run_page(root / page, bin_folder, root)
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
