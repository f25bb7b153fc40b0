"""One evaluation of an integer language model in plain Python, position after position."""

from support.language_models import plain_integers as plain

__all__ = ["forward_plainly", "rotated"]

_GATES = {"silu": plain.sigmoid, "gelu_tanh": plain.gelu_gate}


def _pairs(factor):
    return list(zip(factor.multiplier.tolist(), factor.shift.tolist(), strict=True))


def _project(projection, x, exponent=0):
    return [plain.drain(x, weights, multiplier, shift, bias, projection.pre_shift, exponent)
            for weights, (multiplier, shift), bias in zip(
                projection.weight.tolist(), _pairs(projection.factor), projection.bias.tolist(),
                strict=True)]


def _norm(model, x, gains):
    y = plain.norm(plain.center(x) if model.norm == "layer" else x, model.eps)
    if gains is None:
        return y
    return [plain.limit16(plain.rounded(value * gain, gains.shift))
            for value, gain in zip(y, gains.gains.tolist(), strict=True)]


def _head_norm(x, norm):
    if norm is None:
        return x
    return [plain.limit32(plain.rounded(value * gain, norm.gains.shift))
            for value, gain in zip(plain.norm(x, norm.eps), norm.gains.gains.tolist(),
                                   strict=True)]


def rotated(model, x, position):
    """Return a head's vector after its rotation."""
    if model.cosines is None:
        return x
    x = list(x)
    cosines, sines = model.cosines[position].tolist(), model.sines[position].tolist()
    for pair, (cos, sin) in enumerate(zip(cosines, sines, strict=True)):
        i, j = (2 * pair, 2 * pair + 1) if model.pairs == "neighbours" \
            else (pair, pair + len(cosines))
        x[i], x[j] = (plain.limit32(plain.rounded(x[i] * cos - x[j] * sin, 30)),
                      plain.limit32(plain.rounded(x[i] * sin + x[j] * cos, 30)))
    return x


def _heads(x, size):
    return [x[start:start + size] for start in range(0, len(x), size)]


def _attention(model, layer, h, position, cache):
    q, k, v = (_heads(_project(part, h), model.head_size) for part in (layer.q, layer.k, layer.v))
    for head, (key, value) in enumerate(zip(k, v, strict=True)):
        key = rotated(model, _head_norm(key, layer.k_norm), position)
        cache.setdefault(("k", head), []).append(plain.cached(key))
        cache.setdefault(("v", head), []).append(plain.cached(value))
    out = []
    for head, query in enumerate(q):
        query = rotated(model, _head_norm(query, layer.q_norm), position)
        query = [plain.limit16(plain.rounded(x, 15)) for x in query]
        shared = head * model.kv_heads // model.heads
        out += plain.attend(query, cache["k", shared], cache["v", shared],
                            int(layer.score_shifts[shared]), model.sum_shift)
    return out


def _feed_forward(model, layer, h):
    up, function = _project(layer.up, h), _GATES[model.activation]
    if layer.gate is None:
        product = [x * function(x, layer.gate_fraction) for x in up]
    else:
        product = [plain.rounded(g * function(g, layer.gate_fraction), 15) * u
                   for g, u in zip(_project(layer.gate, h), up, strict=True)]
    exponent = plain.product_exponent(product)
    activations = [plain.rounded(x, exponent) for x in product]
    return _project(layer.down, activations, exponent - layer.product_fraction)


def _sum(a, b):
    return [plain.limit32(x + y) for x, y in zip(a, b, strict=True)]


def forward_plainly(model, ids):
    """Return the logits of every position as lists.

    Parameters
    ----------
    model : :class:`golden.language_model.integer.parameters.IntegerModel`
    ids : list of :class:`int`
        Text tokens from position 0 on.
    """
    caches = [{} for _ in model.layers]
    logits = []
    for position, token in enumerate(ids):
        multiplier, shift = _pairs(model.embedding_factor)[token]
        x = [plain.limit32(plain.rounded(value * multiplier, shift))
             for value in model.embedding[token].tolist()]
        if model.positions is not None:
            x = _sum(x, model.positions[position].tolist())
        for layer, cache in zip(model.layers, caches, strict=True):
            attention, feed_forward = layer.attention, layer.feed_forward
            heads = _attention(model, attention, _norm(model, x, attention.gains), position, cache)
            x = _sum(x, _project(attention.output, heads))
            x = _sum(x, _feed_forward(model, feed_forward, _norm(model, x, feed_forward.gains)))
        logits.append(_project(model.head, _norm(model, x, model.final_gains)))
    return logits
