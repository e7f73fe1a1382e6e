#!/usr/bin/env bash
# Lets libFuzzer attack one target for as long as one likes.
#
#     scripts/fuzz.sh TARGET [SECONDS]
#
# Needs a nightly toolchain and cargo-fuzz (`cargo install cargo-fuzz`). What it
# finds interesting goes into a directory of its own, so that the corpus in the
# repository grows only by what somebody chose; what fails lands in
# target/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${1:?which target? one of: $(ls tests/fuzz/corpus | tr '\n' ' ')}
seconds=${2:-600}
out=${FUZZ_OUT:-target/fuzz}
mkdir -p "$out/corpus/$target" "$out/artifacts/$target"
out=$(realpath "$out")
dictionary=tests/fuzz/dictionaries/$target.txt
options=(-max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1)
if [[ -f $dictionary ]]; then
    options+=(-dict="$dictionary")
fi
# No memory errors are looked for: the workspace forbids unsafe code. Without
# the release profile's link-time optimisation the build takes minutes.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_STRIP=none
exec cargo +nightly fuzz run --fuzz-dir tests/fuzz --sanitizer none --target-dir "$out/build" \
    "fuzz-$target" "$out/corpus/$target" "tests/fuzz/corpus/$target" \
    -- "${options[@]}" -artifact_prefix="$out/artifacts/$target/"
