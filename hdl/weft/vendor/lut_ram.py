"""Choice between LUT RAM and block RAM for small memories."""

__all__ = ["lut_ram_attributes"]


def lut_ram_attributes(multiplier):
    """Return the synthesis attributes of a memory of a few hundred bytes.

    Yosys would map such a memory to a block RAM and use an eighth of it. The attributes select LUT
    RAM if ``multiplier``, the multiplier form of the configuration, is one for ECP5. Otherwise,
    there are none, because they are an error on a device without LUT RAM, such as iCE40.
    """
    return {"ram_style": "distributed"} if multiplier.startswith("ecp5") else {}
