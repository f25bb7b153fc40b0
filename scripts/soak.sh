#!/usr/bin/env bash
# Run the random testbenches with many more programs, sizes and configurations, and a random seed.
#   make soak PROGRAMS=1000 SEED=7     repeat a run
#   make soak CONFIGS=5                test fewer random configurations; each one is compiled
set -euo pipefail
cd "$(dirname "$0")/.."
programs=${PROGRAMS:-1000}
configs=${CONFIGS:-25}
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
echo "soak: $programs programs, $configs configurations, seed $seed; repeat with:" \
    "make soak PROGRAMS=$programs CONFIGS=$configs SEED=$seed"
export WEFT_SEED=$seed WEFT_SOAK=1
export WEFT_PROGRAMS=$programs WEFT_CYCLES=$((programs * 50))
# all held-out images, all cases of the networks, more random products and networks
export WEFT_IMAGES=360 WEFT_CASES=1000 WEFT_DRAWS=200 WEFT_CONFIGS=$configs WEFT_NETWORKS=500
# damaged files of language models; SmolLM2 needs its package, see tb/conftest.py
export WEFT_DAMAGED=2000
# damaged frames on the host link, on the RTL and in its model
export WEFT_LINK_RTL=100000 WEFT_LINK_FRAMES=500000 WEFT_LINK_IMAGES=20
# additionally the netlist of an ECP5, which takes minutes to compile
export WEFT_NETLISTS="icebreaker tiny"
# the LiteX SoC; its four tests are skipped without its tools, which make setup does not install
export WEFT_LITEX=1
lacking=$(.venv/bin/python scripts/litex_soc.py --check 2>&1) ||
    echo "soak: the four tests of the LiteX SoC will be skipped: ${lacking#litex: }"
# the unit tests that depend on the seed or on one of the numbers above
mapfile -t units < <(grep -rlE --include='test_*.py' 'support\.seeds|WEFT_[A-Z]' tb/unit | sort)
.venv/bin/python -m pytest -n 2 --dist worksteal --durations=15 \
    tb/cocotb tb/models "${units[@]}" "$@"
echo "soak: passed with seed $seed"
