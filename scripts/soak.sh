#!/usr/bin/env bash
# The random testbenches with many more programs and a seed of the day.
#   PROGRAMS=1000 SEED=7 make soak     repeats a run
set -euo pipefail
cd "$(dirname "$0")/.."
programs=${PROGRAMS:-1000}
seed=${SEED:-$(date +%Y%m%d)}
echo "soak: $programs programs, seed $seed; repeat with: make soak PROGRAMS=$programs SEED=$seed"
WEFT_PROGRAMS=$programs WEFT_CYCLES=$((programs * 50)) WEFT_SEED=$seed WEFT_SOAK=1 \
    .venv/bin/python -m pytest -n 2 --dist worksteal --durations=15 tb/cocotb "$@"
echo "soak: passed with seed $seed"
