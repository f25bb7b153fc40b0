"""Choice between LUT RAM and block RAM for small memories."""

__all__ = ["lut_ram_attributes"]


def lut_ram_attributes(multiplier):
    """Return the attributes of a memory of a few hundred bytes.

    Yosys would map such a memory on a block RAM and fill an eighth of it. The attributes select
    LUT RAM if the configuration's ``multiplier`` is one of the ECP5's. On a device without LUT
    RAM, such as iCE40, they would be an error.
    """
    return {"ram_style": "distributed"} if multiplier.startswith("ecp5") else {}
