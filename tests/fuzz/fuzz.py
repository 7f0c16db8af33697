#!/usr/bin/env python3
"""Fuzzes the readers, keeps what is worth keeping, and counts (README.md).

  fuzz.py run [TARGET...] [--seconds N | --runs N]   fuzz, add to the totals, store the inputs
  fuzz.py coverage [TARGET...]                       lines of each reader that the inputs reach
  fuzz.py totals                                     what was run so far
  fuzz.py replay TARGET --replay PROGRAM             the committed inputs, without libFuzzer

Needs clang's presets: cmake --preset fuzz && ninja -C build/fuzz fuzzers; coverage also the preset
fuzz-coverage and its target fuzz_replay. Inputs are committed as corpus/TARGET.tar.gz.
"""

import argparse
import gzip
import io
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORPUS = HERE / "corpus"
TOTALS = HERE / "totals.json"
BUILD = ROOT / "build" / "fuzz"
COVERAGE = ROOT / "build" / "fuzz-coverage"

# Each target with the sources of its reader, and the longest input worth trying.
TARGETS = {
    "config": (["framework/config/parse.cpp", "framework/config/load.cpp",
                "framework/config/reader.cpp", "framework/config/node.cpp"], 4096),
    "idx": (["datasets/idx.cpp", "datasets/data_file.cpp"], 512),
    "npy": (["datasets/npy.cpp", "datasets/npy_header.cpp"], 1024),
    "cifar": (["datasets/cifar.cpp"], 6400),
    "gzip": (["datasets/gzip.cpp"], 4096),
    "images": (["apps/infer/images.cpp", "apps/infer/inflated.cpp"], 3300),
    "safetensors": (["framework/io/safetensors.cpp"], 2048),
    "model": (["compression/integer/model_reader.cpp", "compression/integer/validate.cpp",
               "compression/integer/bounds.cpp", "compression/integer/geometry.cpp"], 2048),
    "wire": (["framework/io/image_bytes.cpp"], 512),
    "checkpoint": (["framework/io/hdf5_read.cpp", "framework/io/guarded.cpp"], 8192),
    "keras": (["framework/io/keras_h5.cpp", "framework/io/guarded.cpp"], 16384),
}
FORKS = {"checkpoint", "keras"}  # a guarded process for every input


def unpack(target, folder):
    """Writes the committed inputs into the folder; returns their paths."""
    archive = CORPUS / f"{target}.tar.gz"
    if archive.exists():
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member)
                if content is not None:
                    (folder / pathlib.Path(member.name).name).write_bytes(content.read())
    return sorted(folder.iterdir())


def pack(target, folder):
    """The inverse: the same inputs give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(path.name)
            member.size = path.stat().st_size
            tar.addfile(member, io.BytesIO(path.read_bytes()))
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{target}.tar.gz").write_bytes(gzip.compress(buffer.getvalue(), 9, mtime=0))


def read_totals():
    return json.loads(TOTALS.read_text()) if TOTALS.exists() else {}


def add_to_totals(target, runs, seconds, found):
    totals = read_totals()
    row = totals.setdefault(target, {"executions": 0, "seconds": 0, "findings": 0})
    row["executions"] += runs
    row["metered"] = row.get("metered", 0) + runs  # the earliest ones had no limit of memory
    row["seconds"] += round(seconds)
    row["findings"] += found
    TOTALS.write_text(json.dumps(dict(sorted(totals.items())), indent=2) + "\n")


def environment(**more):
    # One frame of each allocation's stack, and a small quarantine: a third faster.
    options = "detect_leaks=0:allocator_may_return_null=0:malloc_context_size=1:quarantine_size_mb=16"
    return {**os.environ, "ASAN_OPTIONS": options,
            "UBSAN_OPTIONS": "print_stacktrace=1", **more}


def seeds_into(target, folder):
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([BUILD / "bin" / "fuzz_seeds", made], check=True, env=environment())
        for path in (pathlib.Path(made) / target).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())


def ends(target, path):
    """Whether the input is done within ten seconds of processor time; libFuzzer's own clock, for
    -timeout and for what it calls a slow unit, goes on while others have the processor."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    return subprocess.run([BUILD / "bin" / f"fuzz_{target}", path], capture_output=True,
                          env=environment(), preexec_fn=limit).returncode == 0


def campaign(target, work, limit):
    """Fuzzes in `work`/corpus; returns (executions, seconds, findings)."""
    longest = TARGETS[target][1]
    finds = work / "finds"
    finds.mkdir()
    command = [BUILD / "bin" / f"fuzz_{target}", work / "corpus", *limit,
               f"-max_len={longest}", f"-dict={HERE / 'dictionary'}", "-timeout=200",
               "-malloc_limit_mb=128", "-rss_limit_mb=2048", "-print_final_stats=1",
               # Not entropic: its bookkeeping takes half of the time of targets as fast as these.
               "-reload=0", "-entropic=0", f"-artifact_prefix={finds}/", "-verbosity=0"]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          env=environment())
    seconds = time.monotonic() - start
    counted = re.findall(r"number_of_executed_units:\s*(\d+)", done.stderr)
    kept = list(finds.iterdir())
    if target in FORKS and done.returncode == 0:
        kept = []  # left by guarded processes: what crashes there is an error here
    starved = [path for path in kept
               if path.name.startswith(("timeout", "slow-unit")) and ends(target, path)]
    kept = [path for path in kept if path not in starved]
    if kept or done.returncode != 0 and not starved:
        keep = ROOT / "build" / "findings"
        keep.mkdir(parents=True, exist_ok=True)
        for path in kept:
            (keep / f"{target}-{path.name}").write_bytes(path.read_bytes())
        sys.stderr.write(done.stderr[-4000:])
        print(f"{target}: FINDING, kept in {keep}")
    return int(counted[-1]) if counted else 0, seconds, len(kept)


def run(target, limit):
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "corpus").mkdir()
        (work / "least").mkdir()
        seeds_into(target, work / "corpus")
        unpack(target, work / "corpus")
        runs, seconds, found = campaign(target, work, limit)
        if target in FORKS:  # libFuzzer sees little of what an input reaches there
            shutil.copytree(work / "corpus", work / "least", dirs_exist_ok=True)
        else:
            subprocess.run([BUILD / "bin" / f"fuzz_{target}", "-merge=1", "-verbosity=0",
                            f"-artifact_prefix={work}/",  # a finding crashes here again
                            f"-max_len={TARGETS[target][1]}", work / "least", work / "corpus"],
                           check=True, capture_output=True, env=environment())
        pack(target, work / "least")
        add_to_totals(target, runs, seconds, found)
        kept = len(list((work / "least").iterdir()))
    print(f"{target}: {runs:,} executions in {seconds:.0f} s, {found} findings, "
          f"{kept} inputs kept", flush=True)
    return found == 0


def coverage(target):
    sources = TARGETS[target][0]
    program = COVERAGE / "bin" / "fuzz_replay"
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "corpus").mkdir()
        files = unpack(target, work / "corpus")
        # %c: counters live in the file, so those of guarded processes count too (needs
        # -runtime-counter-relocation).
        subprocess.run([program, target, *files], check=True, capture_output=True,
                       env=environment(LLVM_PROFILE_FILE=f"{work}/%c.profraw"))
        subprocess.run(["llvm-profdata", "merge", "-o", work / "all", *work.glob("*.profraw")],
                       check=True)
        report = subprocess.run(
            ["llvm-cov", "export", "-summary-only", f"-instr-profile={work / 'all'}", program,
             *(ROOT / source for source in sources)],
            check=True, capture_output=True, text=True)
    lines = [f["summary"]["lines"] for f in json.loads(report.stdout)["data"][0]["files"]]
    covered, count = sum(x["covered"] for x in lines), sum(x["count"] for x in lines)
    percent = 100 * covered / count
    print(f"{target}: {covered} of {count} lines ({percent:.1f} %) of {', '.join(sources)}",
          flush=True)
    return percent >= 90


def totals():
    rows = read_totals()
    for target, row in rows.items():
        print(f"{target:<12} {row['executions']:>14,} executions {row['seconds']:>8,} s "
              f"{row['findings']} findings, {row.get('metered', 0):,} held to their memory")
    print(f"{'all':<12} {sum(r['executions'] for r in rows.values()):>14,} executions")


def replay(target, program):
    with tempfile.TemporaryDirectory() as name:
        files = unpack(target, pathlib.Path(name))
        if not files:
            sys.exit(f"fuzz.py: {CORPUS / (target + '.tar.gz')} is missing")
        return subprocess.run([program, target, *files]).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["run", "coverage", "totals", "replay"])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--replay")
    options = parser.parse_args()
    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {sorted(unknown)[0]}; there are: {', '.join(TARGETS)}")
    chosen = options.targets or list(TARGETS)
    if options.what == "totals":
        totals()
        return 0
    if options.what == "run":
        limit = [f"-runs={options.runs}"] if options.runs else [
            f"-max_total_time={options.seconds or 60}"]
        good = [run(target, limit) for target in chosen]
    elif options.what == "coverage":
        good = [coverage(target) for target in chosen]
    else:
        good = [replay(target, options.replay) for target in chosen]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
