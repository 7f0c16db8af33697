#!/bin/sh
# Fails where a program loads a library that it must not. usage: linkage.sh PROGRAM NAME_PART...
set -eu

program=$1
shift
libraries=$(ldd "$program")
status=0
for part in "$@"; do
  if printf '%s\n' "$libraries" | grep -F -- "$part"; then
    echo "$program loads $part, which it must not"
    status=1
  fi
done
exit $status
