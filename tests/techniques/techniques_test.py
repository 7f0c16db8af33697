#!/usr/bin/env python3
"""Every technique that `inspect --techniques` lists, or required.py as a key, has a config in
configs/techniques/ that uses it; those listed have a place in docs/techniques.md, which names every
config and none that does not exist. With --smoke no two configs give the same model.

usage: techniques_test.py BIN ROOT [--smoke]
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import required

FEWEST_CONFIGS = 40
TABLES = ("methods", "pruners", "quantizers", "observers")
# What has no integer form by nature: docs/techniques.md, "Without an integer form".
FLOAT_ONLY = {"quantize_16bit", "quantize_codebook_16bit", "quantize_dynamic"}
NO_CONFIGS = {"result"}  # NAME.json of the page that are files of a run
SCHEDULES = ("sparsity.", "factor.", "temperature.", "alpha.")  # their keys stand in docs/optimizers.md


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def applied(config):
    """The methods that some phase applies, with the phase's epochs."""
    return [config["compression"][name] | {"epochs": phase["epochs"]}
            for phase in config["phases"] for name in phase.get("apply", [])]


def sides(method):
    """Every object of a quantize method that names a quantizer and an observer."""
    for holder in [method] + method.get("overrides", []):
        for side in ("weights", "activations"):
            if isinstance(holder.get(side), dict):
                yield holder[side]


def used_by(config):
    """(table, name) of every technique that a resolved config uses."""
    used = set()
    for method in applied(config):
        used.add(("methods", method["kind"]))
        if method["kind"] == "dynamic":
            used.add(("quantizers", "dynamic"))
        if method["kind"] == "prune":
            used.add(("pruners", method["method"]))
        if method["kind"] == "quantize":
            for side in sides(method):
                used.add(("quantizers", side.get("quantizer")))
                used.add(("observers", side.get("observer")))
    return used


def check_tables(listed, configs, page):
    """What is missing of configs and of the page, as sentences."""
    used = set().union(*(used_by(config) for config in configs.values())) if configs else set()
    places = [line for line in page.split("\n") if re.match(r"#|\| ?`", line)]
    headed = {name for line in places for name in re.findall(r"`([^`]+)`", line)}
    for table in TABLES:
        for row in listed[table]:
            if (table, row["name"]) not in used:
                yield f"no config in configs/techniques/ uses '{row['name']}' ({table})"
            if row["name"] not in headed and f'"kind": "{row["name"]}"' not in page:
                yield f"docs/techniques.md has no heading or row for '{row['name']}' ({table})"


def check_keys(configs):
    """Which techniques that are keys no config uses, as sentences."""
    yield from required.missing([method for config in configs.values() for method in applied(config)])


def check_page(listed, configs, page, files):
    words = set(re.findall(r"[A-Za-z0-9_]+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    for key in listed["keys"]:
        if key["path"].startswith(SCHEDULES):
            continue
        last = re.sub(r"\[\]$", "", key["path"]).split(".")[-1]
        if last not in words:
            yield f"docs/techniques.md does not name the key '{key['path']}'"
    for name in configs:
        if f"{name}.json" not in page:
            yield f"docs/techniques.md does not name configs/techniques/{name}.json"
    for name in sorted(set(re.findall(r"(?:`|techniques/)([a-z0-9_]+)\.json", page)) - NO_CONFIGS):
        if name not in files:
            yield f"docs/techniques.md names {name}.json, which configs/techniques/ does not have"
    if len(configs) < FEWEST_CONFIGS:
        yield f"expected at least {FEWEST_CONFIGS} configs in configs/techniques/, got {len(configs)}"


def smoke(programs, configs):
    """Runs every config; sentences about what failed and which models are equal."""
    seen = {}
    for name in configs:
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "run"
            command = [programs / "train", "--config", f"techniques/{name}.json", "--smoke", "-q",
                       "--out", out]
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
            if done.returncode != 0:
                yield f"{name}: exit code {done.returncode}: {done.stderr.strip()[-300:]}"
                continue
            result = json.loads((out / "result.json").read_text())
            if (result["accuracy"]["integer"] is None) != (name in FLOAT_ONLY):
                yield f"{name}: expected {'no' if name in FLOAT_ONLY else 'an'} integer form"
            if result["accuracy"]["integer"] is None:
                if not result["integer_refused"]:
                    yield f"{name}: no integer form, and no reason"
                continue
            if result["integer_check"]["differing"] != 0:
                yield f"{name}: the engine differs from the network"
            # A model begins with the name of its run: equal models must be equal without it.
            model = (out / "model.pare").read_bytes().replace(result["name"].encode(), b"")
            digest = hashlib.sha256(model[32:]).hexdigest()
            if digest in seen:
                yield f"{name} gives the same model as {seen[digest]}"
            seen[digest] = name


def main():
    programs, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    listed = json.loads(run(programs / "inspect", "--techniques", "--json"))
    page = (root / "docs/techniques.md").read_text()
    files = sorted((root / "configs/techniques").glob("*.json"))
    names = [file.stem for file in files if not file.stem.startswith("base_")]
    if "--smoke" in sys.argv[3:]:
        faults = list(smoke(programs, names))
    else:
        configs = {name: json.loads(run(programs / "train", "--config", f"techniques/{name}.json",
                                        "--print-config")) for name in names}
        faults = [*check_tables(listed, configs, page), *check_keys(configs),
                  *check_page(listed, configs, page, {file.stem for file in files})]
    print("\n".join(faults) or f"{len(names)} configs, nothing missing")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
