# shellcheck shell=bash
# Shared by deploy/up.sh, deploy/optimize.sh, bench/compare.sh and tests/run.sh: to be sourced, with the repository as working folder.

# Prints the packages of the given lists that are not installed.
missing_packages() {
    local wanted
    wanted=$(grep -hvE '^(#|$)' "$@" | sort -u)
    # shellcheck disable=SC2086
    comm -23 <(printf '%s\n' $wanted) \
        <(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii *//p' | sort -u)
}

# Installs what is missing of the given lists: one apt line, shown before it runs.
install_packages() {
    local missing sudo=()
    missing=$(missing_packages "$@" | paste -sd' ')
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        sudo=(sudo)
    fi
    echo "+ ${sudo[*]} apt-get install -y --no-install-recommends $missing"
    "${sudo[@]}" apt-get update -qq || echo "apt-get update failed; trying with the lists that are here" >&2
    # shellcheck disable=SC2086
    if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
        echo "The packages above could not be installed. Without a network: install them by hand, then run again." >&2
        return 1
    fi
}

# Configures and builds a preset; says little unless it fails.
build_preset() {
    local preset=$1
    shift
    local log="build/$preset.log"
    mkdir -p build
    if [ ! -f "build/$preset/build.ninja" ]; then
        cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    fi
    cmake --build --preset "$preset" "$@" >"$log" 2>&1 || { tail -50 "$log" >&2; return 1; }
}
