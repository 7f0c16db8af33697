#!/usr/bin/env python3
"""The installed package pare_integer, as another project uses it.

usage: package_test.py BUILD ROOT

Installs into a temporary prefix, configures and builds tests/package against it with find_package
alone, and runs what comes out: labels are those of `infer`, the C program finds its symbols, and the
promises of the headers are kept.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(*words, **options):
    done = subprocess.run([str(w) for w in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}\nexit code {done.returncode}")
    return done.stdout


def main():
    build, root = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run("cmake", "--install", build, "--prefix", folder / "prefix")
        shutil.copytree(root / "tests/package", folder / "source")
        run("cmake", "-S", folder / "source", "-B", folder / "build",
            f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}")
        run("cmake", "--build", folder / "build")

        run(build / "bin/train", "--config", root / "configs/device/mnist_16k.json", "--smoke",
            "--set", "dataset.kind=digits", "--out", folder / "run")
        model = folder / "run/model.pare"
        run(build / "bin/export", folder / "run", "--format", "safetensors", "--samples",
            "--verify", "60", "--out", folder / "images")
        pixels = folder / "images/pixels.bin"
        labels = run(folder / "build/classify", model, pixels).split()
        outputs = (folder / "images/outputs.bin").read_bytes()
        expected = []
        for i in range(60):
            codes = [b - 256 if b > 127 else b for b in outputs[10 * i:10 * i + 10]]
            expected.append(str(codes.index(max(codes))))
        assert labels == expected, f"{labels} are not {expected}"
        assert run(folder / "build/from_c", model).strip() == "28 x 28 x 1 -> 10"
        assert run(folder / "build/promises", model).strip() == "kept"
        damaged = folder / "damaged.pare"
        damaged.write_bytes(model.read_bytes()[:-1])
        done = subprocess.run([folder / "build/classify", damaged, pixels], text=True,
                              stderr=subprocess.PIPE)
        assert done.returncode == 3 and "checksum" in done.stderr, done.stderr
    print("the installed package works as its headers say")


if __name__ == "__main__":
    main()
