#!/usr/bin/env bash
# Builds each fuzz target and runs it for so many seconds (default 60), one on each core. Ends with a line
# `N passed, N failed`.
#   tests/fuzz/run.sh [SECONDS [NAME...]]     NAME: a target without `_fuzz.cpp`, e.g. json_scan
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export seconds=${1:-60}
shift || true
mkdir -p build/fuzz

one() {
    local target=$1 name sources log
    name=$(basename "$target" .cpp)
    log=build/fuzz/$name.log
    # The first lines of a target name the sources it needs.
    sources=$(sed -nE 's#^// sources: ##p' "$target" | tr '\n' ' ')
    # shellcheck disable=SC2086
    if clang++-14 -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
        -include tests/fuzz/source_location.hpp "$target" $sources -o "build/fuzz/$name" -lboost_json -lcrypto >"$log" 2>&1 &&
        mkdir -p "build/fuzz/corpus-$name" &&
        "build/fuzz/$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
            "build/fuzz/corpus-$name" >"$log" 2>&1; then
        echo "ok $name: $(grep -E 'number_of_executed_units' "$log" | grep -oE '[0-9]+') executions"
    else
        echo "FAILED $name:"
        tail -20 "$log"
    fi
}
export -f one

targets=(tests/fuzz/*_fuzz.cpp)
if [ $# -ne 0 ]; then
    targets=()
    for name; do targets+=("tests/fuzz/${name}_fuzz.cpp"); done
fi
# shellcheck disable=SC2016
printf '%s\0' "${targets[@]}" | xargs -0 -P "$(nproc)" -I '{}' bash -c 'one "$1"' _ '{}' | tee build/fuzz/result
passed=$(grep -c '^ok ' build/fuzz/result)
failed=$((${#targets[@]} - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
