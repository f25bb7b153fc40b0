"""Integer arithmetic of language models: the specification of what the device computes.

:mod:`~golden.language_model.integer.quantize` turns the parameters of a float model into integers,
and :mod:`~golden.language_model.integer.forward` evaluates them. Nothing but integers enters a
result; every other module states one law. Arrays are int64, whatever the width of their values,
but for int8 weights, which are many.
"""
