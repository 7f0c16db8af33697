#!/bin/sh
# without_float.sh COMPILER ROOT: the integer path contains no float. Its portable sources must compile with
# -mgeneral-regs-only, which refuses any; those in kernels/simd use vector registers, so their assembly is searched for
# float arithmetic and conversions instead.
set -u
compiler=$1
root=$2
cd "$root" || exit 1
failures=0
count=0

case $("$compiler" -dumpmachine) in
  x86_64*) ;;
  *) echo "skipped: the check is written for x86-64"; exit 0 ;;
esac

for source in compression/integer/*.cpp compression/integer/kernels/*.cpp framework/base/*.cpp; do
  count=$((count + 1))
  "$compiler" -std=c++20 -O1 -mgeneral-regs-only -I. -S -o /dev/null "$source" || {
    echo "FLOAT in $source"
    failures=$((failures + 1))
  }
done

for source in compression/integer/kernels/simd/*.cpp; do
  count=$((count + 1))
  if "$compiler" -std=c++20 -O2 -I. -S -o - "$source" |
    grep -E '^[[:space:]]+v?(add|sub|mul|div|sqrt|fn?m(add|sub)[0-9]*|cvt[a-z0-9]*|u?comi)[sp][sd2]'; then
    echo "FLOAT in $source"
    failures=$((failures + 1))
  fi
done

# The check itself must be able to fail.
if echo 'double twice(double x) { return 2 * x; }' |
  "$compiler" -x c++ -O1 -mgeneral-regs-only -S -o /dev/null - 2>/dev/null; then
  echo "the compiler accepts floats under -mgeneral-regs-only"
  failures=$((failures + 1))
fi

echo "$count sources, $failures with float"
[ "$failures" -eq 0 ]
