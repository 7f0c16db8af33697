#!/usr/bin/env python3
"""Pictures of a report.html in headless Chromium: two widths, light and dark. For people to look at;
no test runs it, for it needs a browser.

    report_screenshots.py REPORT.html OUT_FOLDER [--heights 4200 9000]

Writes OUT_FOLDER/<width>_<theme>.png. The page's whole height is in the picture where --heights are
large enough.
"""

import argparse
import pathlib
import subprocess
import tempfile

WIDTHS = (1280, 420)
THEMES = {"light": 1, "dark": 0}  # Blink's PreferredColorScheme


def screenshot(page, picture, width, height, scheme):
    with tempfile.TemporaryDirectory(prefix="pare-browser-") as profile:
        subprocess.run(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={profile}", f"--window-size={width},{height}",
             f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={picture}",
             page.resolve().as_uri()],
            check=True, capture_output=True, timeout=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--heights", type=int, nargs=2, default=(4200, 9000), metavar=("WIDE", "NARROW"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for width, height in zip(WIDTHS, arguments.heights, strict=True):
        for theme, scheme in THEMES.items():
            picture = arguments.out.resolve() / f"{width}_{theme}.png"
            screenshot(arguments.page, picture, width, height, scheme)
            print(picture)


if __name__ == "__main__":
    main()
