#!/bin/bash
# Runs Unkey's own client against the stand-in for Unkey that the tests use. Ends with `N passed, N failed`.
# Needs Node 20 or later, npm and Python 3. What the lock names is installed once, into node_modules.
set -euo pipefail
cd "$(dirname "$0")"

if ! cmp -s package-lock.json node_modules/.lock; then
    npm ci --silent
    cp package-lock.json node_modules/.lock
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
node --test --test-reporter=tap >"$out" 2>&1 || true
cat "$out"
number() { sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$out"; }
passed=$(number pass) failed=$(number fail)
echo "${passed:-0} passed, ${failed:-1} failed"
[ "${failed:-1}" -eq 0 ]
