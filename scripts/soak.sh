#!/usr/bin/env bash
# The random testbenches with many more programs, sizes and configurations, and a seed of the day.
#   PROGRAMS=1000 SEED=7 make soak     repeats a run
#   CONFIGS=5 make soak                fewer random configurations: each is compiled for the run
set -euo pipefail
cd "$(dirname "$0")/.."
programs=${PROGRAMS:-1000}
configs=${CONFIGS:-25}
seed=${SEED:-$(date +%Y%m%d)}
echo "soak: $programs programs, $configs configurations, seed $seed; repeat with:" \
    "make soak PROGRAMS=$programs CONFIGS=$configs SEED=$seed"
export WEFT_SEED=$seed WEFT_SOAK=1
export WEFT_PROGRAMS=$programs WEFT_CYCLES=$((programs * 50))
# every held-out image, every case of the networks, and the draws of the bars
export WEFT_IMAGES=360 WEFT_CASES=1000 WEFT_DRAWS=200 WEFT_CONFIGS=$configs WEFT_NETWORKS=500
# damaged frames on the host link: on the RTL, and in its model
export WEFT_LINK_RTL=100000 WEFT_LINK_FRAMES=500000 WEFT_LINK_IMAGES=20
# the netlist of an ECP5, too, of which a compiler has for minutes
export WEFT_NETLISTS="icebreaker tiny"
# the LiteX SoC: its tools are not in make setup; without them its four tests are skipped
export WEFT_LITEX=1
lacking=$(.venv/bin/python scripts/litex_soc.py --check 2>&1) ||
    echo "soak: the four tests of the LiteX SoC will be skipped: ${lacking#litex: }"
.venv/bin/python -m pytest -n 2 --dist worksteal --durations=15 \
    tb/cocotb tb/models tb/unit/device/test_rtl_device.py tb/unit/cli/test_cli.py \
    tb/unit/link/test_rtl.py tb/unit/spec/test_link_frames.py tb/unit/host_link/test_client.py \
    tb/unit/compiler/test_compile_operators.py "$@"
echo "soak: passed with seed $seed"
