"""The project's files as the structure tests see them: which there are, their text, and C++ without
its comments.

Every check is a function check(root) that returns a list of complaints, "path:line: what is wrong
and what to do"; main() turns that into output and an exit code. No check writes anything.
"""

import os
import pathlib
import re
import sys

# Made by builds and runs (.gitignore); data belong to the user.
NOT_OURS = {"build", "runs", "data"}
CODE = {".cpp", ".h"}

# A comment, or a literal that is kept because it may look like one.
_COMMENT_OR_LITERAL = re.compile(
    r'(?P<raw>R"(?P<tag>[^(\s]{0,16})\(.*?\)(?P=tag)")|(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|(?P<literal>"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\')', re.DOTALL)


def _is_not_ours(name, top):
    if name == "__pycache__" or (name.startswith(".") and name != ".ci"):
        return True
    return top and (name in NOT_OURS or name.startswith("build-"))


def files(root, suffixes=None):
    """Paths relative to root in sorted order, '/' between folders; no hidden folder other than .ci."""
    found = []
    for folder, subfolders, names in os.walk(root):
        top = pathlib.Path(folder) == pathlib.Path(root)
        subfolders[:] = [name for name in subfolders if not _is_not_ours(name, top)]
        for name in names:
            path = pathlib.Path(folder, name).relative_to(root).as_posix()
            if path != ".git" and (suffixes is None or pathlib.Path(name).suffix in suffixes):
                found.append(path)
    return sorted(found)


def text(root, path):
    """The file's text, or None where it is not text (UTF-8)."""
    try:
        return pathlib.Path(root, path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def without_comments(code):
    """C++ with every comment replaced by blanks, so that lines keep their numbers; literals stay."""
    def blank(match):
        if match["comment"] is None:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return _COMMENT_OR_LITERAL.sub(blank, code)


def without_strings(code):
    """without_comments(code), and nothing left between quotes."""
    def empty(match):
        return '""' + "\n" * match[0].count("\n")
    return _COMMENT_OR_LITERAL.sub(empty, without_comments(code))


def line_of(content, offset):
    return content.count("\n", 0, offset) + 1


def main(check):
    """Runs check on the root given as the only argument; exit code 1 where it has complaints."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT")
    complaints = check(sys.argv[1])
    print("\n".join(complaints) if complaints else "nothing to complain about")
    sys.exit(1 if complaints else 0)
