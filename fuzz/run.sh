#!/usr/bin/env bash
# Runs every fuzzer for so many seconds (600), one after another: fuzz/run.sh [SECONDS [NAME…]]
#
# Needs `cargo install cargo-fuzz`. libFuzzer's instrumentation is an unstable flag of rustc, hence RUSTC_BOOTSTRAP on the
# stable toolchain; no sanitizer, because the engine forbids unsafe code, and memory is to be that of the engine.
# What breaks is put into fuzz/artifacts/NAME: mend the cause and put the (minimised) file into tests/corpus/NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1
seconds=${1:-600}
names=("${@:2}")
[ ${#names[@]} -gt 0 ] || names=(mapping xml json path template)

cargo fuzz build --release --sanitizer none
failed=0
for name in "${names[@]}"; do
  # what is found is kept in fuzz/corpus (not checked in) and begun from the next time, with the files that are
  mkdir -p "fuzz/corpus/$name"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=256 -max_len=16384 -print_final_stats=1)
  [ ! -e "fuzz/dictionaries/$name.dict" ] || options+=(-dict="fuzz/dictionaries/$name.dict")
  printf '\n== %s\n' "$name"
  cargo fuzz run --release --sanitizer none "$name" "fuzz/corpus/$name" "tests/corpus/$name" -- "${options[@]}" || failed=1
done
exit "$failed"
