"""Numpy model of the datapath, the registers and host memory."""
