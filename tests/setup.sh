#!/bin/bash
# What the tests need beyond cargo and Debian's packages, pinned, under .cache/.
# usage: tests/setup.sh [FUNCTION...]   (default: all). Each does nothing when it is done already.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache
mkdir -p "$cache"

# done_already NAME VERSION: true when this version of the step is in place.
done_already() { [ "$(cat "$cache/.$1" 2>/dev/null)" = "$2" ]; }
mark() { echo "$2" > "$cache/.$1"; }

# Clients of Subsonic and UPnP, and the writer of the corpus.
python() {
    local pins="mutagen==1.47.0 py-opensonic==10.4.1 py-sonic==1.2.0 async-upnp-client==0.49.0 check-jsonschema==0.39.0 tuspy==1.1.0 aiosmtpd==1.4.6"
    if done_already python "$pins" && [ -x "$cache/venv/bin/python" ]; then return; fi
    [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
    # shellcheck disable=SC2086
    "$cache/venv/bin/python" -m pip install -q --disable-pip-version-check $pins
    mark python "$pins"
}

# The browser's driver, the accessibility checker and what tests/web/vendor.mjs takes the panel's
# vendored files from; Chromium itself is Debian's.
node() {
    local pins
    pins=$(sha256sum < tests/web/package-lock.json | cut -c1-16)
    if done_already node "$pins"; then return; fi
    mkdir -p "$cache/web"
    cp tests/web/package.json tests/web/package-lock.json "$cache/web/"
    # From inside: a prefix that is a link is taken for a package of its own.
    (cd "$cache/web" && npm ci --ignore-scripts --no-audit --no-fund --silent)
    mark node "$pins"
}

# Real music, from Debian's packages, where this release has them.
music() {
    local packages="wesnoth-1.16-music wesnoth-1.18-music singularity-music" package
    if done_already music "$packages"; then return; fi
    command -v apt-get >/dev/null || return 0
    mkdir -p "$cache/music/.deb"
    for package in $packages; do
        if [ -e "$cache/music/$package" ]; then continue; fi
        if (cd "$cache/music/.deb" && apt-get download -q "$package" >/dev/null 2>&1); then
            dpkg -x "$cache"/music/.deb/"$package"_*.deb "$cache/music/$package"
        fi
    done
    rm -rf "$cache/music/.deb"
    mark music "$packages"
}

for step in "${@:-python node music}"; do
    for name in $step; do "$name"; done
done
