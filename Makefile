# Every target installs the tools first; `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
RUN := $(VENV)/bin
BLOCK ?= weft
SIM ?= icarus
WAVES ?= 0
BOARD ?=
CLOCK ?=
BAUD ?=
PRESET ?=
UPDATE ?= 0
SEEDS ?= 1
PNR ?=
DRY ?= 0
MODEL ?=
PICTURE ?=
export PATH := $(CURDIR)/$(RUN):$(PATH)
# Ctrl-C ends a Python program in one sentence
export PYTHONPATH := $(CURDIR)/scripts/interrupt$(if $(PYTHONPATH),:$(PYTHONPATH))

$(foreach switch,WAVES UPDATE DRY,$(if $(filter 0 1,$($(switch))),,\
	$(error $(switch) is 0 or 1, not "$($(switch))")))

# Unknown names are refused before anything is installed.
BOARDS = $(patsubst boards/weft_boards/%.py,%,$(wildcard boards/weft_boards/[!_]*.py))
BLOCKS = $(patsubst tb/cocotb/test_%.py,%,$(wildcard tb/cocotb/test_*.py))
PRESETS = $(shell grep -o 'Config.name="[^"]*' hdl/weft/spec/presets.py | cut -d '"' -f 2)
SIMS = icarus verilator
PNRS = ecp5_pnr nextpnr
# $(call check,TARGETS,VARIABLE,NAMES): stop if a target gets a value that is not in the variable NAMES
check = $(if $(filter $1,$(MAKECMDGOALS)),$(if $(filter-out $($3),$($2)),\
	$(error no $2 "$($2)"; there are $(sort $($3)))))
$(call check,bitstream flash netlist,BOARD,BOARDS)
$(call check,litex netlist,PRESET,PRESETS)
$(call check,tb,BLOCK,BLOCKS)
$(call check,tb,SIM,SIMS)
$(call check,bitstream,PNR,PNRS)
$(if $(filter bitstream flash,$(MAKECMDGOALS)),$(if $(BOARD),,\
	$(error BOARD=... is missing; there are $(BOARDS))))
$(if $(filter litex,$(MAKECMDGOALS)),$(if $(MODEL),$(if $(shell test -f "$(MODEL)" && echo yes),,\
	$(error no MODEL "$(MODEL)": this file does not exist))))

.PHONY: help setup demo test coverage lint format verilog docs soak tb bench array netlist bitstream flash gates \
	litex train pages pictures clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## create .venv with pinned versions, and install other prerequisites: [PYTHON=python3.13]
	@bash scripts/setup.sh $(if $(filter setup,$(MAKECMDGOALS)),,--quiet)

demo: setup ## compile a network, run it on the RTL, compare every byte
	@python scripts/demo.py

test: setup ## all tests, under 25 minutes on two cores
	@python -m pytest -n 2 --dist worksteal --durations=15

coverage: setup ## share of Python code that unit tests execute, also in build/coverage/index.html
	@python -m pytest -n 2 --dist worksteal -q tb/unit --cov --cov-report=term:skip-covered \
		--cov-report=html:build/coverage

lint: setup ## ruff and the type checker
	@ruff check .
	@mypy

format: setup ## sort imports and apply ruff's safe fixes
	@ruff check --fix .

verilog: setup ## Verilog of every preset, in build/
	@python scripts/verilog.py

docs: setup ## the documentation, in build/docs; warnings are errors
	@sphinx-build -j auto -q -W --keep-going -E -b html docs build/docs
	@echo "open build/docs/index.html"

pages: docs ## the documentation in Chromium: no page scrolls sideways on a phone
	@python scripts/check_pages.py

pictures: setup ## pictures of the documentation, in docs/_static: [PICTURE=array.svg]
	@python scripts/pictures.py $(PICTURE)

soak: setup ## many more random programs and stalls than make test: [SEED=7] [PROGRAMS=1000] [CONFIGS=25]
	@bash scripts/soak.sh

tb: setup ## one testbench: BLOCK=array|scratchpad|dma|vector|sequencer|weft SIM=icarus|verilator WAVES=1
	@python scripts/tb.py --block $(BLOCK) --sim $(SIM) $(if $(filter 1,$(WAVES)),--waves)

bench: setup ## check the cycles of the benchmarks, then generate docs/results.md
	@python scripts/bench.py
	@python scripts/generate_results.py

array: setup ## check area and clock of the array alone, takes minutes
	@python scripts/fpga_array.py --rows 8 --cols 8 --multiplier lut --area-only --max-luts 150
	@python scripts/fpga_array.py --rows 8 --cols 8 --multiplier ecp5_lut --area-only --max-luts 150
	@python scripts/fpga_array.py
	@python scripts/fpga_array.py --no-depthwise --max-luts 35 --max-ffs 72 --min-mhz 150
	@python scripts/fpga_array.py --rows 16 --cols 8 --max-luts 45 --max-ffs 84 --min-mhz 125 \
		--table docs/blocks/array_ecp5.inc

netlist: setup ## run digits on the netlist after synthesis: [BOARD=icebreaker]
	@python scripts/netlist.py $(BOARD) $(PRESET)

gates: setup ## compare area and clock of two small boards with docs/gates.json: [UPDATE=1]
	@python scripts/gates.py $(if $(filter 1,$(UPDATE)),--update)

bitstream: setup ## build a board's bitstream in build/BOARD: BOARD=icebreaker [CLOCK=MHz] [BAUD=3000000] [SEEDS="1 2 3"] [PNR=nextpnr]
	@python scripts/bitstream.py --board "$(BOARD)" $(if $(CLOCK),--clock "$(CLOCK)") \
		$(if $(BAUD),--baud "$(BAUD)") $(if $(PNR),--pnr "$(PNR)") --seeds $(SEEDS)

flash: setup ## load a board's bitstream: BOARD=icebreaker [DRY=1]
	@python scripts/flash.py --board "$(BOARD)" $(if $(filter 1,$(DRY)),--dry-run)

litex: setup ## simulate a LiteX SoC in which a VexRiscv runs a layer on Weft: [PRESET=small] [MODEL=x.tflite]
	@PRESET="$(or $(PRESET),small)" MODEL="$(MODEL)" bash scripts/litex_soc.sh

train: setup ## train the digits network again, in build/digits
	@bash scripts/train.sh

clean: ## remove everything that was built, except .venv
	@rm -rf build docs/_build .pytest_cache .ruff_cache .mypy_cache
	@mkdir build
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
