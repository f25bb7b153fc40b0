r"""Pre-tokenizers: the division of a text into words before neighbours are merged.

The names are those of ``tokenizer.ggml.pre`` in GGUF files. A pre-tokenizer is a sequence of
regular expressions; each divides the words of the ones before it into its matches and the text in
between. The expressions are those of the models' ``tokenizer.json``; llama.cpp
(``llm_tokenizer_bpe`` in ``llama-vocab.cpp``) assigns the same ones to the names.
"""

__all__ = ["IGNORE_MERGES", "PATTERNS", "name_of"]

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = (_CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_TEKKEN = (rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
           r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

PATTERNS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("gpt-2", "phi-2", "olmo", "mpt", "jais"), (_GPT2,)),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone",
                     "minerva-7b"), (r"\p{N}", _GPT2)),
    **dict.fromkeys(("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez"), (_WORDS % r"\p{N}",)),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "dbrx", "smaug-bpe"),
                    (_WORDS % r"\p{N}{1,3}",)),
    "tekken": (_TEKKEN,),
}
"""Regular expressions by the name of the pre-tokenizer."""

IGNORE_MERGES = frozenset(("llama-bpe", "llama3", "llama-v3", "falcon3", "tekken"))
"""Pre-tokenizers of vocabularies that do not divide a word that is a token."""


def name_of(patterns: tuple[str, ...]) -> str | None:
    """Return the name of the pre-tokenizer with these expressions, or ``None``."""
    return next((name for name, known in PATTERNS.items() if known == patterns), None)
