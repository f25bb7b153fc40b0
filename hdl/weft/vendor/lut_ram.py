"""Which memories are better kept in look-up tables than in block RAM."""

__all__ = ["in_tables"]


def in_tables(multiplier):
    """Attributes of a memory of a few hundred bytes, by the ``multiplier`` of a :class:`Config`.

    Yosys takes a block RAM for it, of which it would fill an eighth. It is told otherwise where a
    configuration is for ECP5; for a device without memory in look-up tables, as iCE40, that would
    be an error.
    """
    return {"ram_style": "distributed"} if multiplier.startswith("ecp5") else {}
