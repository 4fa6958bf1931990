#!/bin/bash
# Runs the official SDKs against a gateway with the mock provider behind it.
#   tests/conformance/run.sh [BINARY] [--write-table] [WORD ...]
# BINARY defaults to $CONCURRED_BIN, then build/dev/concurred. WORD: only the suites that have it in their name. The table
# in README.md is compared with what the suites did; --write-table writes it. Needs Node 20 or later, npm and Python 3.11
# or later.
# What the locks name is installed once, into node/node_modules and build/conformance-venv.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=${CONCURRED_BIN:-build/dev/concurred}
if [ -x "${1:-}" ]; then
    bin=$1
    shift
fi
[ -x "$bin" ] || { echo "run.sh: no program at $bin: build it, or name another" >&2; exit 69; }
bin=$(realpath "$bin")
if ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null || ! command -v npm >/dev/null; then
    echo "run.sh: needs Node 20 or later, and npm" >&2
    exit 69
fi
here=$PWD/tests/conformance
venv=$PWD/build/conformance-venv
modules=$here/node/node_modules

# Runs the rest of the command unless it has run since `$2` was changed; `$1` remembers.
once_for() {
    local mark=$1 list=$2
    shift 2
    if ! cmp -s "$list" "$mark"; then
        "$@"
        cp "$list" "$mark"
    fi
}

once_for "$modules/.conformance-lock" "$here/node/package-lock.json" npm ci --silent --prefix "$here/node"
once_for "$here/supabase/node_modules/.conformance-lock" "$here/supabase/package-lock.json" \
    npm ci --silent --prefix "$here/supabase"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
once_for "$venv/requirements.txt" "$here/python/requirements.txt" \
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"

CONCURRED_BIN=$bin exec "$venv/bin/python" -B "$here/run.py" "$@"
