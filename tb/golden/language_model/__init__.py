"""Golden model of language models: a forward pass in floating point, written from publications.

The modules are the parts of a decoder-only transformer: ``norms``, ``rotation``, ``attention``,
``feed_forward``; ``forward`` puts them together, and ``measures`` compares results. The package
depends on numpy alone.

Sources: Vaswani et al., "Attention Is All You Need" (arXiv:1706.03762); Radford et al., "Language
Models are Unsupervised Multitask Learners" (2019) for ``gpt2``; Touvron et al., "LLaMA"
(arXiv:2302.13971) for ``llama``; the reports of Qwen2 (arXiv:2407.10671) and Qwen3
(arXiv:2505.09388) for the other two families. Sources of single parts are named in their modules.
"""
