"""What the tests of this folder share: a small run of the whole pipeline, faults put into it, and
what must be true of its folder at any moment."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import zlib

CONFIG = pathlib.Path(__file__).with_name("pipeline.json")
# What equal runs have equal, byte by byte.
EQUAL = ("checkpoints/last.h5", "checkpoints/best.h5", "model.pare", "config.json", "telemetry.jsonl")


class Bin:
    """The programs of a build, started in a folder of the test."""

    def __init__(self, bin_folder, home):
        self.bin, self.home = pathlib.Path(bin_folder).resolve(), pathlib.Path(home)
        (self.home / "data").mkdir()
        for part, seed, count in (("train", "2", "600"), ("t10k", "1", "600")):
            names = [f"data/{part}-images-idx3-ubyte", f"data/{part}-labels-idx1-ubyte"]
            subprocess.run([self.bin / "write_digits", seed, count, *names], cwd=self.home, check=True)

    def sanitized(self):
        """Whether the programs are instrumented (presets asan and tsan)."""
        return self.watched_for_races() or self.calls(b"__asan_init")

    def watched_for_races(self):
        """Whether they are instrumented by ThreadSanitizer, which hands signals over between calls."""
        return self.calls(b"__tsan_init")

    def calls(self, symbol):
        return symbol in (self.bin / "train").read_bytes()

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items()
                if k not in ("PARE_DATA", "XDG_CACHE_HOME", "PARE_HOME")}
        return {**kept, "HOME": str(self.home), **more}

    def faults(self, **variables):
        """Environment in which PARE_FAULT... work (faults.cpp)."""
        library = self.bin / "libfaults.so"
        sanitizers = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return self.environment(LD_PRELOAD=str(library), ASAN_OPTIONS=sanitizers, **variables)

    def command(self, out, *arguments, config=CONFIG):
        return [self.bin / "train", "--config", config, "--out", out, "--threads", "1",
                *map(str, arguments)]

    def start(self, out, *arguments, env=None, **options):
        return subprocess.Popen(self.command(out, *arguments), cwd=self.home,
                                env=env or self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                **options)

    def train(self, out, *arguments, env=None, **options):
        """Exit code and what it said."""
        process = self.start(out, *arguments, env=env, **options)
        _, err = process.communicate(timeout=300)
        return process.returncode, err


class RunsTest(unittest.TestCase):
    """Each class has a folder of its own; main() says where the programs are."""
    bin_folder = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="pare-reliability-")
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.programs = Bin(cls.bin_folder, cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def is_whole(self, out):
        """Ended as the run that nothing interrupted, and left nothing behind."""
        self.assertEqual(differences(self.folder / out, self.folder / "whole"), [])
        self.assertEqual(temporary_files(self.folder / out), [])

    def is_untorn(self, out):
        self.assertEqual(torn_files(self.folder / out), [])


def torn_checkpoint(path):
    """Why a checkpoint is none, or ""; by its trailer alone (framework/io/hdf5_image.cpp)."""
    data = path.read_bytes()
    content, trailer = data[:-48], data[-48:]
    if len(trailer) < 48 or trailer[:8] != b"PARE-H5\x01":
        return "no trailer"
    if int.from_bytes(trailer[8:16], "little") != len(content):
        return "wrong length"
    return "" if hashlib.sha256(content).digest() == trailer[16:] else "wrong checksum"


def torn_model(path):
    """The last four bytes are the CRC-32 of all before (docs/model-format.md)."""
    data = path.read_bytes()
    right = len(data) > 8 and zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
    return "" if right else "wrong CRC-32"


def torn_json(path):
    try:
        lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
        for line in lines:
            json.loads(line)
    except ValueError as error:
        return str(error)
    return ""


CHECKS = {"last.h5": torn_checkpoint, "best.h5": torn_checkpoint, "model.pare": torn_model,
          "config.json": torn_json, "metrics.jsonl": torn_json, "result.json": torn_json,
          "timing.json": torn_json}


def torn_files(run):
    """Complaints about the files of a run folder, temporary ones aside."""
    complaints = []
    for path in sorted(pathlib.Path(run).rglob("*")):
        check = CHECKS.get(path.name)
        why = check(path) if check else ""
        if why:
            complaints.append(f"{path}: {why}")
    return complaints


def temporary_files(run):
    return [path for path in pathlib.Path(run).rglob(".*.tmp.*")]


def without_times(value):
    """A JSON value without the keys that hold times, at any depth."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items()
                if k not in ("seconds", "images_per_second", "latency_us")}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def rows_without_times(run):
    return [without_times(json.loads(line)) for line in (run / "metrics.jsonl").read_text().splitlines()]


def content(path):
    """None where there is no such file: telemetry is asked for, and 16 bits give no integer model."""
    return path.read_bytes() if path.exists() else None


def differences(run, whole):
    """Names of what differs between two finished runs."""
    run, whole = pathlib.Path(run), pathlib.Path(whole)
    names = [name for name in EQUAL if content(run / name) != content(whole / name)]
    if rows_without_times(run) != rows_without_times(whole):
        names.append("metrics.jsonl")
    results = [json.loads((folder / "result.json").read_text()) for folder in (run, whole)]
    if without_times(results[0]) != without_times(results[1]):
        names.append("result.json")
    return names
