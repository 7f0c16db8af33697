#!/usr/bin/env python3
"""Documents that keep up with the tree: relative links lead somewhere, and a folder's README names
every file in it.

Only the existence of what is named is checked; whether the words are true is for people. A folder
with sources but without a README is a warning (on stdout), not a complaint.
"""

import pathlib
import posixpath
import re
import urllib.parse

import tree

SOURCES = {".cpp", ".h", ".c", ".py", ".sh"}
# Folders of tests mirror the project: tests/README.md says so once, for all of them.
NEED_NO_README = ("tests/",)

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)"      # [text](target "title")
                   r"|^\[[^\]\n]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)  # [name]: target


def _blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def broken_links(root, path):
    content = _CODE.sub(_blank, _FENCE.sub(_blank, tree.text(root, path) or ""))
    complaints = []
    for match in _LINK.finditer(content):
        target = match[1] or match[2]
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):  # another place, or this page
            continue
        where = posixpath.join(posixpath.dirname(path), urllib.parse.unquote(target.split("#")[0]))
        if target.startswith("/") or not pathlib.Path(root, where).exists():
            line = tree.line_of(content, match.start())
            complaints.append(f"{path}:{line}: the link to {target} leads nowhere")
    return complaints


def unnamed_files(root, readme, names):
    """Files whose name without suffix does not occur as a word in the README of their folder."""
    content = tree.text(root, readme) or ""
    stems = sorted({pathlib.Path(name).stem for name in names})
    return [f"{readme}: does not mention {stem}; a paragraph per file, however short"
            for stem in stems if not re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", content)]


def check(root):
    complaints = []
    everything = tree.files(root)
    folders = {}
    for path in everything:
        if pathlib.Path(path).suffix in SOURCES and "/" in path:
            folder, name = posixpath.split(path)
            folders.setdefault(folder, []).append(name)
    for folder, names in sorted(folders.items()):
        readme = f"{folder}/README.md"
        if readme in everything:
            complaints += unnamed_files(root, readme, names)
        elif not readme.startswith(NEED_NO_README):
            print(f"warning: {folder} has sources and no README.md")
    for path in everything:
        if path.endswith(".md"):
            complaints += broken_links(root, path)
    return complaints


if __name__ == "__main__":
    tree.main(check)
