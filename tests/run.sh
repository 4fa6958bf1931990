#!/usr/bin/env bash
# Runs all tests on a Debian 12 machine; installs what they need, but Node 20 for the SDKs. Ends with a line `N passed, N failed`.
#   ./tests/run.sh               all of it, built with the address and undefined-behaviour sanitizers; then what threads
#                                share under the thread sanitizer, and each fuzz target for CONCURRED_FUZZ_SECONDS (60)
#   ./tests/run.sh --quick       lint, unit and integration tests, built without sanitizers as for work
#   ./tests/run.sh --only PART   one part: lint, unit, integration, conformance, memory, tsan, fuzz
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. deploy/lib.sh

parts="lint unit integration conformance memory tsan fuzz"
preset=asan
case "${1:-}" in
    --quick) parts="lint unit integration" preset=dev ;;
    --only)
        case " $parts " in
            *" ${2:?--only needs the name of a part} "*) parts=$2 ;;
            *) echo "tests/run.sh: there is no part '$2'; there are: $parts" >&2; exit 64 ;;
        esac ;;
    "") ;;
    *) echo "usage: tests/run.sh [--quick | --only PART]" >&2; exit 64 ;;
esac

passed=0
failed=0
skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

heading() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
wants() { case " $parts " in *" $1 "*) true ;; *) false ;; esac; }

# Adds up the closing line of a runner: doctest's, pytest's, or `N passed, N failed`. A runner that ends without one, or
# badly without a failure, counts as one failure.
count() {
    local code=$1 line p f s
    line=$(sed 's/\x1b\[[0-9;]*m//g' "$out" | grep -v 'assertions: ' | grep -E 'test cases: |[0-9]+ (passed|failed|skipped|error)' | tail -1)
    p=$(grep -oE '[0-9]+ passed' <<<"$line" | head -1 | grep -oE '[0-9]+')
    f=$(grep -oE '[0-9]+ (failed|error)' <<<"$line" | grep -oE '[0-9]+' | paste -sd+ | bc 2>/dev/null)
    s=$(grep -oE '[0-9]+ skipped' <<<"$line" | head -1 | grep -oE '[0-9]+')
    if [ -z "$p$f" ] || { [ "$code" -ne 0 ] && [ "${f:-0}" -eq 0 ]; }; then
        f=$((${f:-0} + 1))
        echo "-- this part ended with exit code $code"
    fi
    passed=$((passed + ${p:-0}))
    failed=$((failed + ${f:-0}))
    skipped=$((skipped + ${s:-0}))
}

run() {
    "$@" 2>&1 | tee "$out"
    count "${PIPESTATUS[0]}"
}

# Process-level tests have deadlines, and the machine may be busy: what fails is tried once more, and only that counts.
pytest_run() {
    rm -rf build/pytest
    /usr/bin/python3 -m pytest -q -o cache_dir=build/pytest "$@" 2>&1 | tee "$out"
    local code=${PIPESTATUS[0]}
    count "$code"
    [ "$code" -eq 1 ] || return
    echo "-- once more, those that failed:"
    local first_failed
    first_failed=$(tail -1 "$out" | grep -oE '[0-9]+ (failed|error)' | grep -oE '[0-9]+' | paste -sd+ | bc)
    failed=$((failed - ${first_failed:-0}))
    run /usr/bin/python3 -m pytest -q -o cache_dir=build/pytest --last-failed --last-failed-no-failures none "$@"
}

build() {
    heading "build $1"
    if ! build_preset "$@"; then
        failed=$((failed + 1))
        return 1
    fi
}

finish() {
    printf '\n%d passed, %d failed' "$passed" "$failed"
    [ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
    printf '\n'
    [ "$failed" -eq 0 ]
    exit
}

if ! install_packages deploy/packages.txt tests/packages.txt; then
    failed=1
    finish
fi
export CONCURRED_SHARED=${CONCURRED_SHARED:-$PWD/../shared}
export PYTHONDONTWRITEBYTECODE=1

if wants lint; then
    heading lint
    run python3 tests/lint/lint.py
fi

# Tests that start processes wait more than they compute: more of them at a time than there are cores.
workers=$(($(nproc) * 2))
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1

if wants unit || wants integration || wants conformance; then
    if build "$preset" --target concurred concurred_tests concurred_echo_server; then
        export CONCURRED_BIN=$PWD/build/$preset/concurred CONCURRED_ECHO_SERVER=$PWD/build/$preset/tests/concurred_echo_server
        if wants unit; then
            heading "unit tests"
            run "build/$preset/tests/concurred_tests" --no-version=true
        fi
        if wants integration; then
            heading "integration tests"
            pytest_run -n "$workers" --dist loadfile -m "not memory" tests/integration
        fi
        if wants conformance; then
            heading "official SDKs"
            run tests/conformance/run.sh
            heading "Unkey's client against its stand-in"
            run tests/conformance/unkey/run.sh
        fi
    fi
fi

# What a sanitizer changes, measured on what users run.
if wants memory && build release --target concurred; then
    heading "resident memory"
    CONCURRED_BIN=$PWD/build/release/concurred pytest_run -m memory tests/integration
fi

if wants tsan && build tsan --target concurred_thread_tests; then
    heading "what threads share, under the thread sanitizer"
    run build/tsan/tests/concurred_thread_tests --no-version=true
fi

if wants fuzz; then
    heading "fuzz targets"
    run tests/fuzz/run.sh "${CONCURRED_FUZZ_SECONDS:-60}"
fi

finish
