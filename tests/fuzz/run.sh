#!/usr/bin/env bash
# Builds each fuzz target and runs it for so many seconds (default 60). Ends with a line `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
mkdir -p build/fuzz
passed=0
failed=0
for target in tests/fuzz/*_fuzz.cpp; do
    name=$(basename "$target" .cpp)
    # The first lines of a target name the sources it needs.
    sources=$(sed -nE 's#^// sources: ##p' "$target" | tr '\n' ' ')
    # shellcheck disable=SC2086
    if clang++-14 -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. -include tests/fuzz/source_location.hpp \
        "$target" $sources -o "build/fuzz/$name" -lboost_json &&
        mkdir -p "build/fuzz/corpus-$name" &&
        "build/fuzz/$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
            "build/fuzz/corpus-$name" >"build/fuzz/$name.log" 2>&1; then
        echo "$name: $(grep -E 'number_of_executed_units' "build/fuzz/$name.log" | grep -oE '[0-9]+') executions"
        passed=$((passed + 1))
    else
        echo "$name failed:"
        tail -20 "build/fuzz/$name.log" 2>/dev/null
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
