#!/usr/bin/env bash
# Tests ./pare in a tree of its own, where cmake, ninja, apt-get and the rest of the world are
# stand-ins that write down how they were called. usage: launcher.sh PATH_OF_PARE
# shellcheck disable=SC2016,SC2053  # stand-ins expand when they run; expectations are patterns
set -euo pipefail

original=$(readlink -f "$1")
sandbox=$(mktemp -d)
trap 'rm -rf "$sandbox"' EXIT
tree=$sandbox/a\ tree
mkdir -p "$tree/apps" "$sandbox/bin" "$sandbox/elsewhere"
cp "$original" "$tree/pare"
touch "$tree/apps/train.cpp"
failures=0

stand_in() {
  printf '#!/bin/bash\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$sandbox" "$2" >"$sandbox/bin/$1"
  chmod +x "$sandbox/bin/$1"
}

# pare ARGUMENTS...: runs the launcher from another folder; leaves $status, $out, $err and $calls.
pare() {
  : >"$sandbox/calls"
  status=0
  (cd "$sandbox/elsewhere" && unset PARE_PRESET && PATH=$sandbox/bin:$PATH "$tree/pare" "$@") \
    >"$sandbox/out" 2>"$sandbox/err" || status=$?
  out=$(<"$sandbox/out") err=$(<"$sandbox/err") calls=$(<"$sandbox/calls")
}

expect() {
  if [[ $2 != $3 ]]; then
    printf 'FAILED: %s\n  expected: %s\n  got:      %s\n' "$1" "$3" "$2"
    failures=$((failures + 1))
  fi
}

missing() { stand_in dpkg-query "printf '%s installed\n' \"\${@:4}\" | grep -v -x -e '$1 installed'"; }

missing nothing
stand_in id 'echo 0'
stand_in sudo 'exit 1'
stand_in apt-get ':'
stand_in ctest 'echo "home $PARE_HOME"; exit 8'
stand_in cmake 'mkdir -p build/release/bin'
stand_in ninja ':'
application="$tree/build/release/bin/train"
mkdir -p "${application%/*}"
cat >"$application" <<'END'
#!/bin/bash
printf '[%s]' "$PARE_HOME" "$@"
exit 5
END
chmod +x "$application"

pare
expect 'alone it lists what exists' "$out" '*  train  *'
expect 'and nothing else' "$out" '!(*  infer  *)'
expect 'listing builds nothing' "$calls" ''

pare infer
expect 'an application without source is a usage error' "$status" 2
expect 'that names what there is' "$err" "*no application 'infer'*train*"

pare train --set 'a b=*' ''
expect 'arguments arrive as they are, with PARE_HOME' "$out" "[[]$tree][[]--set][[]a b=[*]][[]]"
expect 'the exit code is that of the application' "$status" 5
expect 'a build without events is silent on stdout and stderr' "$err" ''
expect 'only the target asked for is built' "$calls" '*ninja -C *release* train'
expect 'an unconfigured folder is configured' "$calls" '*cmake -S * --preset release*'

touch "$tree/build/release/build.ninja"
echo "CMAKE_HOME_DIRECTORY:INTERNAL=$tree" >"$tree/build/release/CMakeCache.txt"
pare train
expect 'a configured folder is left alone' "$calls" '!(*cmake -S*)'
echo 'CMAKE_HOME_DIRECTORY:INTERNAL=/moved' >"$tree/build/release/CMakeCache.txt"
pare train
expect 'a moved tree is configured afresh' "$calls" '*cmake *--fresh*'
echo "CMAKE_HOME_DIRECTORY:INTERNAL=$tree" >"$tree/build/release/CMakeCache.txt"

pare help train
expect 'help asks the application' "$out" '*[[]--help]'

pare test
expect 'tests build everything' "$calls" '*ninja -C * all*'
expect 'and leave the slow ones out' "$calls" '*ctest *--label-exclude slow'
expect 'ctest has the last word' "$status $out" "8 home $tree"
pare test -R base
expect 'own arguments replace the default' "$calls" '*ctest *--no-tests=error -R base'

stand_in ninja 'echo "[1/2] compiling"; echo "error: no such thing" >&2; exit 1'
pare train
expect 'a failing build ends with 1' "$status" 1
expect 'and shows all that was said' "$err" '*compiling*error: no such thing*failed*'
expect 'but not on stdout' "$out" ''
stand_in ninja ':'

missing libfmt-dev
pare train
expect 'root installs what is missing, and only that' "$calls" '*apt-get * install * libfmt-dev'$'\n''*'
stand_in id 'echo 1000'
pare train
expect 'without rights it stops' "$status" 1
expect 'with the exact command' "$err" '*sudo apt-get install --no-install-recommends libfmt-dev'
expect 'and builds nothing' "$calls" '!(*ninja -C*)'
stand_in sudo '[[ $2 == true ]] || "${@:2}"'
pare train
expect 'with sudo it installs' "$calls" '*sudo -n env *apt-get * install * libfmt-dev'$'\n''*'

# The list of applications is written by hand in pare; this keeps it complete.
for source in "${original%/*}"/apps/*.cpp; do
  [[ -e $source ]] || continue
  name=$(basename "$source" .cpp)
  expect "pare has a line for $name" "$(grep -c "^$name|" "$original")" 1
done

if ((failures)); then exit 1; fi
echo 'the launcher does what it should'
