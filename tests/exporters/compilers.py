"""Random programs as generated C (export_random_c99), and the compilers that they are given to."""

import pathlib
import re
import shutil
import subprocess
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
C99, CXX = ["-std=c99"], ["-x", "c++", "-std=c++17"]
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def missing(compiler, flags=()):
    """Why the compiler links no program with these flags (-m32 needs a library); None: it does."""
    if shutil.which(compiler) is None:
        return "not on this machine"
    with tempfile.TemporaryDirectory() as name:
        (pathlib.Path(name) / "empty.c").write_text("int main(void) { return 0; }\n")
        done = subprocess.run([compiler, *flags, "empty.c", "-o", "empty"], cwd=name, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == 0:
        return None
    return "links nothing with these flags: " + (done.stdout.splitlines() or ["no message"])[0]


class Programs:
    """r0.c, r0.h, r0_selftest.c, r1.c, ... and all.c, which calls every self test, in a folder."""

    def __init__(self, bin_folder, count):
        self.count = count
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        subprocess.run([str(bin_folder / "export_random_c99"), self.temporary.name, str(count)],
                       check=True)

    def sources(self, kinds=("", "_selftest")):
        return [f"r{i}{kind}.c" for i in range(self.count) for kind in kinds]

    def without_main(self):
        return [f"-DR{i}_SELFTEST_WITHOUT_MAIN" for i in range(self.count)]

    def text(self, name):
        return (self.folder / name).read_text()

    def number(self, index, name):
        """A number that the header defines: `number(3, "ARENA_SIZE")`."""
        return int(re.search(rf"#define R{index}_{name} (\d+)", self.text(f"r{index}.h"))[1])

    def run(self, command, **options):
        return subprocess.run(command, cwd=self.folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=600, **options)

    def build(self, compiler, flags, sources, program):
        """A complaint, or None."""
        done = self.run([compiler, *flags, *WARNINGS, *self.without_main(), *sources,
                         "-o", program])
        return None if done.returncode == 0 else "does not compile cleanly:\n" + done.stderr[:4000]
