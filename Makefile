# Every verb sets the tree up first; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.weft-setup
BLOCK ?= weft
SIM ?= icarus
WAVES ?= 0
BOARD ?=
CLOCK ?=
BAUD ?=
PRESET ?=
UPDATE ?= 0
SEEDS ?= 1
DRY ?= 0
MODEL ?=
export PATH := $(CURDIR)/$(RUN):$(PATH)

$(foreach switch,WAVES UPDATE DRY,$(if $(filter 0 1,$($(switch))),,\
	$(error $(switch) is 0 or 1, not "$($(switch))")))

.PHONY: help setup demo test coverage lint format verilog docs soak tb bench array netlist bitstream flash gates \
	litex train clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with pinned versions, and install what else is needed

$(STAMP): pyproject.toml constraints.txt scripts/setup.sh
	@PYTHON="$(PYTHON)" bash scripts/setup.sh
	@touch $@

demo: setup ## compile a network, run it on the RTL, compare every byte
	@python scripts/demo.py

test: setup ## all tests, under 25 minutes on two cores
	@python -m pytest -n 2 --dist worksteal --durations=15

coverage: setup ## share of the Python code that the unit tests run, in the terminal and as build/coverage/index.html
	@python -m pytest -n 2 --dist worksteal -q tb/unit --cov --cov-report=term:skip-covered \
		--cov-report=html:build/coverage

lint: setup ## ruff and the type checker
	@ruff check .
	@mypy

format: setup ## sort imports and apply ruff's safe fixes
	@ruff check --fix .

verilog: setup ## every preset as Verilog, into build/
	@python scripts/verilog.py

docs: setup ## the documentation, into build/docs; warnings are errors
	@sphinx-build -q -W --keep-going -E -b html docs build/docs
	@echo "open build/docs/index.html"

soak: setup ## many more random programs and stalls than make test runs
	@bash scripts/soak.sh

tb: setup ## one testbench: BLOCK=array|scratchpad|dma|vector|sequencer|weft SIM=icarus|verilator WAVES=1
	@python scripts/tb.py --block $(BLOCK) --sim $(SIM) $(if $(filter 1,$(WAVES)),--waves)

bench: setup ## cycles of the benchmarks, against their bars; then docs/results.md
	@python scripts/bench.py
	@python scripts/generate_results.py

array: setup ## cost of a cell and clock of the array alone, against their bars, minutes
	@python scripts/fpga_array.py --rows 8 --cols 8 --multiplier lut --area-only --max-luts 150
	@python scripts/fpga_array.py --rows 8 --cols 8 --multiplier ecp5_lut --area-only --max-luts 150
	@python scripts/fpga_array.py
	@python scripts/fpga_array.py --no-depthwise --max-luts 35 --max-ffs 72 --min-mhz 150
	@python scripts/fpga_array.py --rows 16 --cols 8 --max-luts 45 --max-ffs 84 --min-mhz 125 \
		--table docs/blocks/array_ecp5.inc

netlist: setup ## digits on the netlist after synthesis: [BOARD=icebreaker]
	@python scripts/netlist.py $(BOARD) $(PRESET)

gates: setup ## area and clock of two small boards, against docs/gates.json: [UPDATE=1]
	@python scripts/gates.py $(if $(filter 1,$(UPDATE)),--update)

bitstream: setup ## a board's bitstream, into build/BOARD: BOARD=icebreaker [CLOCK=MHz] [BAUD=3000000] [SEEDS="1 2 3"]
	@python scripts/bitstream.py --board "$(BOARD)" $(if $(CLOCK),--clock "$(CLOCK)") \
		$(if $(BAUD),--baud "$(BAUD)") --seeds $(SEEDS)

flash: setup ## load a board's bitstream: BOARD=icebreaker [DRY=1]
	@python scripts/flash.py --board "$(BOARD)" $(if $(filter 1,$(DRY)),--dry-run)

litex: setup ## simulate a LiteX SoC whose VexRiscv runs a layer on Weft: [PRESET=small] [MODEL=x.tflite]
	@PRESET="$(or $(PRESET),small)" MODEL="$(MODEL)" bash scripts/litex_soc.sh

train: setup ## train the digits network again, into build/digits
	@bash scripts/train.sh

clean: ## remove everything that was made, except .venv
	@rm -rf build docs/_build .pytest_cache .ruff_cache .mypy_cache
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
