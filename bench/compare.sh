#!/usr/bin/env bash
# Compares the gateway with nginx, HAProxy, Portkey's gateway, LiteLLM's proxy and Bifrost on this machine: installs what is missing
# (peers under build/peers), builds the release, measures in interleaved rounds on the same cores and prints a table.
#   bench/compare.sh                      everything: some 25 minutes
#   bench/compare.sh --peers nginx,haproxy --rounds 5 --seconds 4
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/lib.sh

only=all
for ((i = 1; i <= $#; i++)); do
    [ "${!i}" != --peers ] || { j=$((i + 1)); only=${!j}; }
done
wants() { case ",$only," in *,all,* | *,"$1",*) true ;; *) false ;; esac; }

peers=build/peers
mkdir -p "$peers"
# nodejs of another origin than Debian's brings npm along: ask for Debian's only where there is none.
if command -v node >/dev/null && command -v npm >/dev/null; then
    grep -vE '^(nodejs|npm)$' bench/packages.txt >"$peers/packages.txt"
else
    cp bench/packages.txt "$peers/packages.txt"
fi
install_packages deploy/packages.txt "$peers/packages.txt"
build_preset release --target concurred

# install NAME PROOF COMMAND...: runs the command unless PROOF is there already; what it says is kept for the table.
install() {
    local name=$1 proof=$2
    shift 2
    wants "$name" && [ ! -e "$peers/$proof" ] || return 0
    echo "installing $name"
    "$@" >"$peers/$name.log" 2>&1 || echo "  failed: $(tail -1 "$peers/$name.log")"
}
# Its own newer @hono/node-server makes every stream end in "TypeError: immutable" on Node 20.
install_portkey() {
    mkdir -p "$peers/portkey"
    echo '{"private": true, "dependencies": {"@portkey-ai/gateway": "1.15.2"}, "overrides": {"@hono/node-server": "1.3.3"}}' \
        >"$peers/portkey/package.json"
    npm install --no-audit --no-fund --prefix "$peers/portkey"
}
install portkey portkey/node_modules/@portkey-ai/gateway/build/start-server.js install_portkey
install_litellm() { python3 -m venv "$peers/litellm" && "$peers/litellm/bin/pip" install -q 'litellm[proxy]'; }
install litellm litellm/bin/litellm install_litellm
install_bifrost() { GOBIN="$PWD/$peers/bifrost" go install github.com/maximhq/bifrost/transports/bifrost-http@latest; }
install bifrost bifrost/bifrost-http install_bifrost

exec python3 bench/compare.py "$@"
