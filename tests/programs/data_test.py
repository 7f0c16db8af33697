#!/usr/bin/env python3
"""`fetch` against a local server, and training on a user's own files.

    data_test.py BIN_FOLDER SOURCE_FOLDER [unittest arguments]
"""

import hashlib
import http.server
import io
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tarfile
import threading
import time
import unittest

import programs_test
from programs_test import Finished, ProgramTest, write_idx


class Server:
    """Serves `files` (name -> bytes); remembers where each request began to read."""

    def __init__(self, files, ranges=True, cut=None, delay=0):
        self.starts = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                content = files.get(self.path.lstrip("/"))
                if content is None:
                    return self.send_error(404)
                start = 0
                if ranges and "Range" in self.headers:
                    start = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
                outer.starts.append(start)
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.send_slowly(content[start:cut])

            def send_slowly(self, content):
                try:
                    for i in range(0, len(content), 4096):
                        self.wfile.write(content[i:i + 4096])
                        time.sleep(delay)
                except OSError:
                    pass  # the client went away

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *arguments):
        self.server.shutdown()
        self.server.server_close()


NOWHERE = "http://127.0.0.1:9"  # the port that discards, where nobody listens


class FetchTest(ProgramTest):
    CONTENT = random.Random(1).randbytes(300_000)

    @classmethod
    def environment(cls, data=None):
        return {**super().environment(data), "NO_PROXY": "*", "no_proxy": "*"}

    def setUp(self):
        self.to = self.id().split(".")[-1]
        self.place = self.folder / self.to / "kind"

    def arguments(self, mirrors, content=CONTENT, name="file", members=()):
        digest = hashlib.sha256(content).hexdigest()
        return [self.to, "kind", ",".join(mirrors), name, len(content), digest, *members]

    def fetch(self, *mirrors, **options):
        return self.run_program("fetch_files", *self.arguments(mirrors, **options))

    def check_file(self):
        self.assertEqual([p.name for p in self.place.iterdir()], ["file"])
        self.assertEqual((self.place / "file").read_bytes(), self.CONTENT)

    def test_a_file_is_downloaded_once(self):
        with Server({"file": self.CONTENT}) as server:
            self.ends(self.fetch(server.url), 0, "downloading")
            self.check_file()
            self.ends(self.fetch(server.url), 0, "file is there already")
            self.assertEqual(server.starts, [0])

    def test_a_download_that_was_cut_off_is_continued(self):
        with Server({"file": self.CONTENT}, cut=200_000) as server:
            self.ends(self.fetch(server.url), 3, "could not download file", "stays there and is continued")
        self.assertFalse((self.place / "file").exists())
        with Server({"file": self.CONTENT}) as server:
            self.ends(self.fetch(server.url), 0, "continuing")
            self.assertEqual(server.starts, [200_000])
        self.check_file()

    def test_a_download_that_was_killed_takes_curl_along_and_is_continued(self):
        part = self.place / ".file.part"
        with Server({"file": self.CONTENT}, delay=0.02) as server:
            arguments = [programs_test.BIN / "fetch_files", *map(str, self.arguments([server.url]))]
            process = subprocess.Popen(arguments, cwd=self.folder, env=self.environment(), stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(0.3)
            size = part.stat().st_size
            time.sleep(0.3)
            self.assertEqual(part.stat().st_size, size)  # nobody writes to it any more
            self.assertLess(size, len(self.CONTENT))
        with Server({"file": self.CONTENT}) as server:
            self.ends(self.fetch(server.url), 0)
            self.assertEqual(server.starts, [size])
        self.check_file()

    def test_a_server_without_ranges_starts_again(self):
        self.place.mkdir(parents=True)
        (self.place / ".file.part").write_bytes(self.CONTENT[:1000])
        with Server({"file": self.CONTENT}, ranges=False) as server:
            self.ends(self.fetch(server.url), 0, "starting again")
        self.check_file()

    def test_the_wrong_bytes_are_refused_and_the_next_mirror_is_tried(self):
        wrong = bytes(len(self.CONTENT))
        with Server({"file": wrong}) as bad:
            self.ends(self.fetch(bad.url), 3, f"expected SHA-256 {hashlib.sha256(self.CONTENT).hexdigest()}",
                      hashlib.sha256(wrong).hexdigest())
            self.assertEqual(list(self.place.iterdir()), [])
            with Server({"file": self.CONTENT[:-1]}) as short, Server({"file": self.CONTENT}) as good:
                self.ends(self.fetch(NOWHERE, bad.url, short.url, good.url), 0)
        self.check_file()

    def test_what_was_continued_with_other_bytes_is_downloaded_again(self):
        self.place.mkdir(parents=True)
        (self.place / ".file.part").write_bytes(bytes(1000))
        with Server({"file": self.CONTENT}) as server:
            self.ends(self.fetch(server.url), 0)
            self.assertEqual(server.starts, [1000, 0])
        self.check_file()

    def test_a_damaged_file_is_replaced(self):
        self.place.mkdir(parents=True)
        (self.place / "file").write_bytes(self.CONTENT[:-1])
        self.ends(self.fetch(NOWHERE), 3, "expected 300000 bytes, got 299999")
        with Server({"file": self.CONTENT}) as server:
            self.ends(self.fetch(server.url), 0, "downloading it again")
        self.check_file()

    def test_without_a_network_the_error_says_what_to_put_where(self):
        self.ends(self.fetch(NOWHERE, NOWHERE + "/2"), 3, f"{NOWHERE}/file: curl ended with 7", f"{NOWHERE}/2/file",
                  f"put them into {self.to}/kind/", "file  300000 bytes  SHA-256",)
        finished = self.run_program("fetch", "mnist", "--from", NOWHERE, "--to", self.to)
        self.ends(finished, 3, "train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f2")

    def archive(self, *names):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = 5
                tar.addfile(info, io.BytesIO(name.encode()[-5:]))
        return packed.getvalue()

    def test_an_archive_gives_its_named_members_and_goes(self):
        packed = self.archive("in/a.bin", "in/b.bin", "in/readme", "../outside")
        options = {"content": packed, "name": "x.tar.gz"}
        members = ("in/a.bin", 5, "in/b.bin", 5)
        with Server({"x.tar.gz": packed}) as server:
            self.ends(self.fetch(server.url, **options, members=("in/a.bin", 6)), 3, "in/a.bin: expected 6 bytes, got 5")
            self.ends(self.fetch(server.url, **options, members=members), 0, "unpacking")
            self.assertEqual(len(server.starts), 1)
        self.assertEqual(sorted(p.name for p in self.place.iterdir()), ["a.bin", "b.bin"])
        self.assertEqual((self.place / "a.bin").read_bytes(), b"a.bin")
        self.ends(self.fetch(NOWHERE, **options, members=members), 0, "already")
        self.assertFalse((self.folder / self.to / "outside").exists())

    def test_an_archive_that_is_there_is_unpacked_without_a_network(self):
        packed = self.archive("in/a.bin")
        self.place.mkdir(parents=True)
        (self.place / "x.tar.gz").write_bytes(packed)
        self.ends(self.fetch(NOWHERE, content=packed, name="x.tar.gz", members=("in/a.bin", 5)), 0, "unpacking")
        self.assertEqual([p.name for p in self.place.iterdir()], ["a.bin"])

    def test_without_curl_it_says_so(self):
        environment = {**self.environment(), "PATH": str(self.folder)}
        finished = subprocess.run([programs_test.BIN / "fetch", "mnist"], cwd=self.folder, env=environment,
                                  capture_output=True, text=True)
        self.ends(Finished(finished), 1, "cannot run 'curl'; is it installed?")

    def test_usage(self):
        self.ends(self.run_program("fetch", "minst"), 2, "did you mean 'mnist'?")
        self.ends(self.run_program("fetch"), 2, "KIND")
        self.ends(self.run_program("fetch", "mnist", "--form", "x"), 2, "did you mean '--from'?")
        finished = self.run_program("fetch", "--help")
        self.ends(finished, 0)
        self.assertIn("Exit codes", finished.out)

    def test_a_folder_in_place_of_a_server(self):
        (self.folder / "stick").mkdir()
        (self.folder / "stick" / "file").write_bytes(self.CONTENT)
        self.ends(self.fetch(f"file://{self.folder}/stick"), 0)
        self.check_file()


def write_npy(path, kind, shape, values):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values)


class OwnDataTest(ProgramTest):
    """A user's own images in each form, from the config to verified integers."""

    def images(self, count):
        """Classes that differ in where they are bright, so that training has something to find."""
        generator = random.Random(count)
        labels = bytes(i % 10 for i in range(count))
        rows = [bytes(generator.randrange(60) + (180 if column // 3 == label else 0) for column in range(28)) * 28
                for label in labels]
        return b"".join(rows), labels

    def verified(self, run):
        result = self.result(run)
        self.assertEqual(result["integer_check"]["differing"], 0)
        self.assertGreater(result["integer_check"]["codes"], 0)
        return result

    def test_mnist_format_in_an_own_folder_trains_by_changing_two_keys(self):
        folder = self.folder / "mine"
        folder.mkdir()
        for prefix, count in (("train", 640), ("t10k", 100)):
            pixels, labels = self.images(count)
            write_idx(folder / f"{prefix}-images-idx3-ubyte", [count, 28, 28], pixels)
            write_idx(folder / f"{prefix}-labels-idx1-ubyte", [count], labels)
        two_keys = ["--set", "dataset.kind=idx", "--set", "dataset.folder=mine"]
        self.ends(self.train("--config", "document_cnn.json", *two_keys, "--smoke", "--out", "run"), 0)
        result = self.verified("run")
        self.assertEqual(result["dataset"]["kind"], "idx")
        self.assertGreater(result["accuracy"]["integer"], 0.5)
        self.ends(self.train(*two_keys, "--smoke"), 2, "expected fewer than the 640 training images, got 5000")

    def test_floats_train_and_become_integers_that_take_codes(self):
        folder = self.folder / "floats"
        folder.mkdir()
        for prefix, count in (("train", 640), ("test", 100)):
            pixels, labels = self.images(count)
            values = struct.pack(f"<{len(pixels)}f", *(p / 100 - 1 for p in pixels))
            write_npy(folder / f"x_{prefix}.npy", "<f4", (count, 28, 28), values)
            write_npy(folder / f"y_{prefix}.npy", "<i8", (count,), struct.pack(f"<{count}q", *labels))
        self.ends(self.train("--config", "document_cnn.json", "--smoke", "--out", "float_run", "--set",
                             "dataset.kind=npy", "--set", "dataset.folder=floats"), 0)
        self.assertGreater(self.verified("float_run")["accuracy"]["integer"], 0.5)
        write_idx(self.folder / "picture", [1, 28, 28], bytes(784))
        self.ends(self.infer("float_run/model.pare", "picture"), 3, "has no table of pixel codes")

    def test_the_last_node_must_have_a_unit_for_every_class(self):
        folder = self.folder / "gap"
        folder.mkdir()
        for prefix in ("train", "test"):
            write_npy(folder / f"x_{prefix}.npy", "|u1", (3, 28, 28, 3), bytes(3 * 28 * 28 * 3))
            write_npy(folder / f"y_{prefix}.npy", "|u1", (3,), bytes([0, 12, 4]))
        own = ["--config", "document_cnn.json", "--set", "dataset.kind=npy", "--set", "dataset.folder=gap"]
        self.ends(self.train(*own, "--smoke"), 2, "13")
        plan = self.train(*own, "--set", "model[4].units=13", "--plan")
        self.ends(plan, 0)


if __name__ == "__main__":
    programs_test.BIN, programs_test.SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
