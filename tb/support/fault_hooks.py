"""Hooks that inject faults into an emulated device."""

__all__ = ["after", "before", "changed", "disabled", "force_bit"]


def force_bit(values, bit, state):
    """Set or clear a bit of an array of unsigned integers, in place."""
    if state:
        values |= values.dtype.type(1 << bit)
    else:
        values &= values.dtype.type(~(1 << bit) & (1 << 8 * values.itemsize) - 1)


def before(target, name, action):
    """Call ``action`` before every call of a method."""
    method = getattr(target, name)

    def call(*arguments):
        action()
        return method(*arguments)
    setattr(target, name, call)


def after(target, name, action):
    """Call ``action`` after every call of a method."""
    method = getattr(target, name)

    def call(*arguments):
        result = method(*arguments)
        action()
        return result
    setattr(target, name, call)


def changed(name, change):
    """Return a fault that changes fields of the instructions that ``Datapath.<name>`` executes.

    ``change(fields)`` returns the fields to replace.
    """
    def fault(device):
        method = getattr(device.datapath, name)
        setattr(device.datapath, name,
                lambda fields, *rest: method({**fields, **change(fields)}, *rest))
    return fault


def disabled(name):
    """Return a fault that disables ``Datapath.<name>``."""
    return lambda device: setattr(device.datapath, name, lambda *_: None)
