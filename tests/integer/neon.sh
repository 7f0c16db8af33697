#!/bin/sh
# neon.sh ROOT [LAYERS]: the NEON kernels against the reference loops, on any machine: the engine and tests/integer are
# compiled for 64-bit ARM and run under qemu. LAYERS random layers (default 300); qemu is some thirty times slower than
# a processor. Needs Debian's g++-aarch64-linux-gnu and qemu-user; without them it says so and stops with exit code 77.
set -eu
root=$1
layers=${2:-300}
compiler=${CXX_AARCH64:-aarch64-linux-gnu-g++}
for tool in "$compiler" qemu-aarch64; do
  command -v "$tool" > /dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/include"
ln -s /usr/include/doctest "$folder/include/doctest" # headers only, the same for every processor

cd "$root"
compile() {
  name=$(echo "$1" | tr / _)
  "$compiler" -std=c++20 -O2 -Wall -Wextra -I. -I"$folder/include" -c "$1" -o "$folder/$name.o"
}
for source in framework/base/*.cpp compression/integer/*.cpp compression/integer/kernels/*.cpp \
  compression/integer/kernels/simd/*.cpp tests/main.cpp tests/integer/random_*.cpp tests/integer/kernels_test.cpp \
  tests/integer/engine_test.cpp tests/integer/golden_test.cpp; do
  compile "$source"
done
"$compiler" -static "$folder"/*.o -o "$folder/test_integer" -pthread
PARE_LAYERS=$layers qemu-aarch64 "$folder/test_integer"
