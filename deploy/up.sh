#!/usr/bin/env bash
# Builds and runs the gateway on a Debian 12 machine where nothing is installed, and shows a first streamed completion.
#   ./deploy/up.sh           stays in the foreground; Ctrl-C drains and stops
#   ./deploy/up.sh --check   does the same, then stops everything; exit code 0 if all of it worked
# Further arguments go to `concurred serve`, e.g. --listen 127.0.0.1:9000.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/lib.sh

check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi

gateway_pid=
mock_pid=
work=$(mktemp -d)

stop_all() {
    trap - EXIT INT TERM
    # SIGINT drains without the grace that a load balancer needs.
    [ -z "$gateway_pid" ] || kill -INT "$gateway_pid" 2>/dev/null || true
    [ -z "$gateway_pid" ] || wait "$gateway_pid" 2>/dev/null || true
    [ -z "$mock_pid" ] || kill "$mock_pid" 2>/dev/null || true
    rm -rf "$work"
}

die() {
    echo "up.sh: $*" >&2
    exit 1
}

install_packages deploy/packages.txt
[ -x build/release/concurred ] || echo "Building (a few minutes the first time) ..."
build_preset release --target concurred || die "the build failed; the whole log is in build/release.log"
concurred=build/release/concurred

umask 077
mkdir -p var 2>/dev/null || die "the folder var/ cannot be made here: $(pwd) is not writable"
[ -w var ] || die "the folder $(pwd)/var is not writable"
if [ ! -s var/master.key ]; then
    head -c 32 /dev/urandom | base64 >var/master.key
fi
trap stop_all EXIT INT TERM
export CONCURRED__SECRETS__MASTER_KEY_FILE=var/master.key
if [ ! -s var/first.key ]; then
    created=$("$concurred" keys create --name first --rate-limit 600 --json) || die "no key could be created"
    printf '%s\n' "$created" | sed -E 's/.*"key":"([^"]+)".*/\1/' >var/first.key
fi
key=$(cat var/first.key)

real=no
if env | grep -qE '^(OPENAI|ANTHROPIC|GEMINI|GOOGLE|XAI|OPENROUTER|MINIMAX)_API_KEY(_FILE)?=.|^CONCURRED__PROVIDERS__.*__API_KEY(_FILE)?=.'; then
    real=yes
else
    "$concurred" mock --listen 127.0.0.1:0 --tokens 24 --gap 20ms --lenient >"$work/mock" 2>&1 &
    mock_pid=$!
    for _ in $(seq 100); do
        mock_url=$(sed -nE 's/^mock provider listening on (.*)$/\1/p' "$work/mock")
        [ -z "$mock_url" ] || break
        kill -0 "$mock_pid" 2>/dev/null || die "the mock provider did not start: $(cat "$work/mock")"
        sleep 0.05
    done
    [ -n "$mock_url" ] || die "the mock provider did not start in time"
    # Each provider's dialect has its path, and its name in the environment.
    for provider in OPENAI:/v1 ANTHROPIC: GOOGLE:/v1beta X_AI:/x-ai/v1 OPENROUTER:/openrouter/api/v1 MINIMAX:/minimax/v1; do
        name=CONCURRED__PROVIDERS__${provider%%:*}
        export "${name}__BASE_URL=${mock_url%/v1}${provider#*:}" "${name}__API_KEY=mock-provider-key"
    done
fi

# The gateway's own words go to the terminal; its port is read from them too.
log=$work/gateway
"$concurred" serve --set log.format=text --set log.access=false "$@" 2>"$log" &
gateway_pid=$!
port=
for _ in $(seq 200); do
    port=$(sed -nE 's/.* listening .* port=([0-9]+) .*/\1/p' "$log")
    [ -z "$port" ] || break
    kill -0 "$gateway_pid" 2>/dev/null || { gateway_pid=; die "the gateway did not start: $(cat "$log")"; }
    sleep 0.05
done
[ -n "$port" ] || die "the gateway did not listen in time: $(cat "$log")"
base="http://127.0.0.1:$port/api/v1"

cat <<TEXT

Concurred Gateway runs.

  base URL   $base
  API key    $key   (kept in var/first.key)

  curl -N $base/chat/completions \\
    -H "Authorization: Bearer $key" -H "Content-Type: application/json" \\
    -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'

TEXT
if [ "$real" = no ]; then
    cat <<TEXT
No provider key is set, so the built-in mock provider answers. For a real one, stop this and start again with, e.g.,
  OPENAI_API_KEY=sk-... ./deploy/up.sh        (also ANTHROPIC_API_KEY, GEMINI_API_KEY,
  XAI_API_KEY, OPENROUTER_API_KEY, MINIMAX_API_KEY)

TEXT
fi

echo "A first streamed completion:"
curl -sS -N --max-time 120 -D "$work/head" "$base/chat/completions" -H "Authorization: Bearer $key" \
    -H 'Content-Type: application/json' \
    -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Say hello in one sentence."}]}' |
    tee "$work/answer" |
    sed -unE 's/^data: .*"delta":\{[^}]*"content":"(([^"\]|\\.)*)".*/\1/p' |
    while IFS= read -r piece; do printf '%b' "$piece"; done || die "the first completion failed: $(cat "$log")"
echo
status=$(sed -nE '1s/^HTTP\/1.1 ([0-9]+).*/\1/p' "$work/head")
[ "$status" = 200 ] || die "the first completion was answered with status $status: $(cat "$work/answer")"
grep -q '^data: \[DONE\]' "$work/answer" || die "the first completion did not come to its end: $(tail -c 300 "$work/answer")"

if [ "$real" = no ]; then
    # One model of each provider behind the mock.
    for model in gpt claude gemini grok deepseek minimax; do
        status=$(curl -sS --max-time 120 -o "$work/answer" -w '%{http_code}' "$base/chat/completions" \
            -H "Authorization: Bearer $key" -H 'Content-Type: application/json' \
            -d '{"model":"'"$model"'","max_tokens":4,"messages":[{"role":"user","content":"Hello!"}]}')
        [ "$status" = 200 ] || die "$model was answered with status $status: $(cat "$work/answer")"
        grep -q '"content":"The quick' "$work/answer" || die "$model gave no answer: $(cat "$work/answer")"
    done
    echo "gpt, claude, gemini, grok, deepseek and minimax answer, too."
fi

if [ "$check" = yes ]; then
    echo
    echo "check passed"
    exit 0
fi
echo
echo "Ctrl-C stops it."
tail -n +1 -f "$log" --pid="$gateway_pid" >&2 &
wait "$gateway_pid" || die "the gateway ended: $(tail -3 "$log")"
gateway_pid=
