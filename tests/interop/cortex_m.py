#!/usr/bin/env python3
"""A model's generated C on an Arm Cortex-M: codes, flash, RAM and instructions.

usage: cortex_m.py BIN MODEL... [--images N] [--cpu cortex-m3] [--level=-Os] [--dataset KIND]
       cortex_m.py BIN --random COUNT

Exports each model (a model.pare or a run folder), compiles the C with arm-none-eabi-gcc, runs it on
N test images (1000) in qemu-system-arm, machine mps2-an385, and compares every code with what the
engine gives on this machine. Flash and RAM are those of a firmware that holds the network and
nothing else: flash is everything that is linked (vector table, code, tables, the compiler's own
functions), RAM the arena, other data and the deepest stack that was seen. Instructions are qemu's
count (-icount), to a precision of 40; they are not cycles.

--random takes random programs instead, whose self tests hold the codes of the engine's reference
kernels, compiled without a warning for a Cortex-M0 and a Cortex-M3 at three levels.

Needs Debian's gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm. Exit code 1 where a
code differs; 77, of a test that is skipped, where one of those is not there.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 4M  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M }
ENTRY(start)
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > FLASH
  .ARM.exidx : { *(.ARM.exidx*) } > FLASH
  .data : { *(.data*) } > RAM
  .bss : { *(.bss*) *(COMMON) } > RAM
}
"""

# The parts of a firmware. qemu clears the RAM and loads .data, so that start has nothing to do.
COMMON = """
#include "NAME.h"

static uint32_t arena[(CAPS_ARENA_SIZE + 3) / 4];
static int8_t output[CAPS_OUTPUT_SIZE];

void start(void);
__attribute__((section(".vectors"), used)) static void *const vectors[16] =
    {(void *)0x20400000, (void *)start};
"""

# What is measured: an image arrives at its place in the arena, its class is known.
DEVICE = COMMON + """
volatile int32_t label;

void start(void)
{
  uint8_t *place = (uint8_t *)arena + CAPS_INPUT_OFFSET;
  for (;;) {
    CAPS_RUN(place, output, arena, sizeof arena);
    label = NAME_label(output);
  }
}
"""

# A call of the machine that runs qemu: semihosting.
HOST = """
static int32_t host(int32_t operation, const void *block)
{
  register int32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = block;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
"""

# What is run: images from a file of the host, codes to another.
RUN = COMMON + HOST + """
static uint8_t image[CAPS_INPUT_SIZE];

static int32_t host_open(const char *name, int32_t length, int32_t mode)
{
  const uint32_t block[3] = {(uint32_t)name, (uint32_t)mode, (uint32_t)length};
  return host(1, block);
}

#define SYSTICK ((volatile uint32_t *)0xe000e010)
#define STACK 4096

/* The deepest stack of one run: what is painted below this frame and no longer has its colour. */
__attribute__((noinline)) static uint32_t stack_of_run(void)
{
  volatile uint8_t *top = (volatile uint8_t *)__builtin_frame_address(0) - 256, *p;
  for (p = top - STACK; p < top; ++p) *p = 0xa5;
  CAPS_RUN((const void *)image, output, arena, sizeof arena);
  for (p = top - STACK; p < top && *p == 0xa5; ++p) {}
  return (uint32_t)(top - p) + 256;
}

void start(void)
{
  const int32_t in = host_open("images", 6, 1), out = host_open("codes", 5, 5);
  const uint32_t read[3] = {(uint32_t)in, (uint32_t)image, sizeof image};
  const uint32_t write[3] = {(uint32_t)out, (uint32_t)output, sizeof output};
  uint32_t numbers[2] = {0, 0};
  const uint32_t report[3] = {(uint32_t)host_open("numbers", 7, 5), (uint32_t)numbers, 8};
  SYSTICK[1] = 0xffffff;
  SYSTICK[0] = 5;
  while (host(6, read) == 0) {
    SYSTICK[2] = 0;
    CAPS_RUN((const void *)image, output, arena, sizeof arena);
    numbers[0] = 0xffffff - SYSTICK[2];
    host(5, write);
  }
  numbers[1] = stack_of_run();
  host(5, report);
  host(0x18, (const void *)0x20026);
  for (;;) {}
}
"""

# Every self test of all.c: main gives 0, or 1 + the number of a program with other codes.
RANDOM = """
#include <stdint.h>

int main(void);
void start(void);
__attribute__((section(".vectors"), used)) static void *const vectors[16] =
    {(void *)0x20400000, (void *)start};
""" + HOST + """
void start(void)
{
  const uint32_t exit_code[2] = {0x20026, (uint32_t)main()};
  host(0x20, exit_code);
  for (;;) {}
}
"""

TICK = 40  # instructions of 1 ns per tick of 25 MHz


def run(command, **options):
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}exit code {done.returncode}")
    return done.stdout


class Firmware:
    def __init__(self, folder, name, options):
        self.folder, self.name, self.options = folder, name, options
        (folder / "device.ld").write_text(SCRIPT)

    def link(self, text, run_name):
        text = text.replace("CAPS_RUN", f"{self.name}_{run_name}")
        text = text.replace("NAME", self.name).replace("CAPS", self.name.upper())
        (self.folder / "main.c").write_text(text)
        run(["arm-none-eabi-gcc", f"-mcpu={self.options.cpu}", "-mthumb", self.options.level,
             "-std=gnu99", "-Wall", "-ffunction-sections", "-fdata-sections", "-nostartfiles",
             "--specs=nano.specs", "-Wl,--gc-sections", "-T", "device.ld", self.name + ".c",
             "main.c", "-o", "firmware.elf"], cwd=self.folder)

    def size(self):
        """(flash, RAM without the stack)"""
        line = run(["arm-none-eabi-size", "firmware.elf"], cwd=self.folder).splitlines()[1]
        text, data, bss = map(int, line.split()[:3])
        return text + data, data + bss

    def execute(self):
        code, message = emulate(self.folder)
        if code != 0:
            sys.exit(f"qemu-system-arm: {message}exit code {code}")


def emulate(folder):
    """Runs firmware.elf: (exit code, messages)."""
    done = subprocess.run(
        ["timeout", "1800", "qemu-system-arm", "-machine", "mps2-an385", "-nographic", "-icount",
         "shift=0", "-monitor", "none", "-serial", "none", "-semihosting-config",
         "enable=on,target=native", "-kernel", "firmware.elf"], cwd=folder, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return done.returncode, done.stderr


def measure(model, options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        extra = ["--dataset", options.dataset] if options.dataset else []
        exported = json.loads(run([options.bin / "export", model, "--format", "c99", "--out", folder,
                                   "--verify", options.images, "--samples", "--json", *extra]))
        model_name = exported["files"][0]["name"].removesuffix(".h")
        firmware = Firmware(folder, model_name, options)
        pixels = (folder / "pixels.bin").exists()
        (folder / ("pixels.bin" if pixels else "codes.bin")).rename(folder / "images")
        way = "run_pixels" if pixels else "run"
        firmware.link(DEVICE, way)
        flash, ram = firmware.size()
        firmware.link(RUN, way)
        firmware.execute()
        expected = (folder / "outputs.bin").read_bytes()
        found = (folder / "codes").read_bytes()
        numbers = (folder / "numbers").read_bytes()
        ticks, stack = (int.from_bytes(numbers[i:i + 4], "little") for i in (0, 4))
        differing = sum(a != b for a, b in zip(expected, found)) + abs(len(expected) - len(found))
        print(f"{model_name}: {options.cpu} {options.level}: {differing} of {len(expected)} codes "
              f"differ ({exported['images']} images); flash {flash:,} bytes; RAM {ram + stack:,} bytes "
              f"(arena {exported['arena']:,}, stack {stack}); {ticks * TICK / 1e6:.2f} million "
              "instructions an image", flush=True)
        return differing == 0


def run_random(options):
    """Whether random programs give the engine's codes for every processor and level."""
    right = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run([options.bin / "export_random_c99", folder, options.random])
        (folder / "device.ld").write_text(SCRIPT)
        (folder / "start.c").write_text(RANDOM)
        sources = [f"r{i}{kind}.c" for i in range(options.random) for kind in ("", "_selftest")]
        objects = [source.replace(".c", ".o") for source in [*sources, "all.c"]]
        without_main = [f"-DR{i}_SELFTEST_WITHOUT_MAIN" for i in range(options.random)]
        for cpu in ("cortex-m0", "cortex-m3"):  # qemu's Cortex-M3 runs all of a Cortex-M0's code
            for level in ("-O0", "-O2", "-Os"):
                gcc = ["arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", level]
                run([*gcc, "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror",
                     *without_main, "-c", *sources, "all.c"], cwd=folder)
                run([*gcc, "-nostartfiles", "--specs=nano.specs", "-T", "device.ld", "start.c",
                     *objects, "-o", "firmware.elf"], cwd=folder)
                code, message = emulate(folder)
                right &= code == 0
                print(f"{cpu} {level}: " + (f"program {code - 1} gives other codes {message}" if code
                      else f"{options.random} programs give the codes of the engine"), flush=True)
    return right


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--images", default="1000")
    parser.add_argument("--cpu", default="cortex-m3")
    parser.add_argument("--level", default="-Os")
    parser.add_argument("--dataset", default="")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(program) is None:
            print(f"skipped: {program} is not on this machine")
            return 77
    if options.random:
        return 0 if run_random(options) else 1
    return 0 if all([measure(model, options) for model in options.models]) else 1


if __name__ == "__main__":
    sys.exit(main())
