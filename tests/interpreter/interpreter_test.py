#!/usr/bin/env python3
"""The independent interpreter against the C++ engine, on random programs: every tensor, every code.

  interpreter_test.py BIN_FOLDER        (the folder with dump_tensors and write_random_models)
"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pare_interpreter as interpreter  # noqa: E402

MODELS = 300
BIN = ""


def read(path):
    with open(path, "rb") as file:
        return file.read()


class InterpreterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([f"{BIN}/write_random_models", cls.folder.name, str(MODELS)], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def stem(self, i):
        return f"{self.folder.name}/{i}"

    def test_every_code_of_every_tensor_is_the_engines(self):
        kinds = dict.fromkeys(interpreter.KINDS, 0)
        for i in range(MODELS):
            files = [self.stem(i) + ".pare", self.stem(i) + ".idx"]
            command = [f"{BIN}/dump_tensors", *files, "--all-tensors"]
            engine = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            ours = list(interpreter.json_lines(*files, all_tensors=True))
            self.assertEqual(ours, engine.splitlines(), f"model {i}")
            for op in interpreter.read_model(read(files[0]))["operations"]:
                kinds[op["kind"]] += 1
        print(kinds)
        self.assertGreaterEqual(min(kinds.values()), 5)

    def test_the_command_line_prints_the_same(self):
        files = [self.stem(1) + ".pare", self.stem(1) + ".idx"]
        engine = subprocess.run([f"{BIN}/dump_tensors", *files, "--count", "1"], check=True, capture_output=True)
        script = [sys.executable, interpreter.__file__, *files, "--count", "1"]
        self.assertEqual(subprocess.run(script, check=True, capture_output=True).stdout, engine.stdout)
        self.assertEqual(len(engine.stdout.splitlines()), 1)

    def test_a_changed_byte_is_an_error(self):
        data = bytearray(read(self.stem(0) + ".pare"))
        for place in (0, 5, len(data) // 2, len(data) - 1):
            data[place] ^= 1
            with self.assertRaises(interpreter.ModelError):
                interpreter.read_model(bytes(data))
            data[place] ^= 1
        interpreter.read_model(bytes(data))

    def test_a_multiplier_that_the_scales_do_not_give_is_an_error(self):
        changed = 0
        for i in range(MODELS):
            model = interpreter.read_model(read(self.stem(i) + ".pare"))
            interpreter.check_multipliers(model)
            for op in model["operations"]:
                stored = op["channels"]["multipliers"] if "channels" in op else op.get("multipliers")
                if not stored:
                    continue
                stored[-1] = (stored[-1][0] + 1, stored[-1][1])
                with self.assertRaises(interpreter.ModelError):
                    interpreter.check_multipliers(model)
                stored[-1] = (stored[-1][0] - 1, stored[-1][1])
                changed += 1
        self.assertGreater(changed, MODELS)

    def test_rounding_witnesses(self):
        self.assertEqual(interpreter.scale_once(7984, 1583594044, -9), 11)
        self.assertEqual(interpreter.scale_twice(7984, 1583594044, -9), 12)
        self.assertEqual(interpreter.scale_once(1, 2**30, -1), 0)
        self.assertEqual(interpreter.scale_twice(1, 2**30, -1), 1)
        self.assertEqual(interpreter.scale_twice(585, 1527099593, -6), 7)
        self.assertEqual([interpreter.average(s, 2) for s in (-3, -1, 0, 1, 3)], [-2, -1, 0, 1, 2])


if __name__ == "__main__":
    BIN = sys.argv.pop(1)
    unittest.main()
