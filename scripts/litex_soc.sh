#!/usr/bin/env bash
# Install the prerequisites of examples/litex that make setup does not install, then simulate the SoC.
#   make litex PRESET=tiny MODEL=network.tflite     with another configuration and another model
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS
step() { printf '[litex %3ds] %s\n' "$((SECONDS - started))" "$*"; }
fail() { printf 'litex: %s\n' "$*" >&2; exit 1; }
. scripts/debian.sh
options=(--preset "${PRESET:-small}" ${MODEL:+--model "$MODEL"} "$@")

# this also refuses options before anything is installed
packages=$(.venv/bin/python scripts/litex_soc.py --debian "${options[@]}")
missing=no
for package in $packages; do
    apt_install "$package" || missing=yes
done
[ $missing = no ] || fail "install the missing packages and run make litex again"

if ! .venv/bin/python scripts/litex_soc.py --check 2>/dev/null; then
    step "installing LiteX and its dependencies into .venv"
    log=.venv/litex-pip.log
    .venv/bin/python -m pip install --disable-pip-version-check --no-input -c constraints.txt \
        -e '.[litex]' >"$log" 2>&1 ||
        fail "pip could not install LiteX; its output is in $log"
    .venv/bin/python scripts/litex_soc.py --check
fi
.venv/bin/python scripts/litex_soc.py "${options[@]}"
