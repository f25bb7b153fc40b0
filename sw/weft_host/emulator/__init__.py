"""Numpy model of the datapath, the registers and the host memory.

:class:`weft_host.device.EmulatorDevice` combines them to a device.
"""
