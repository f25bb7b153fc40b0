"""AXI4 and AXI4-Lite: signatures, arbiters, register access and stream buffers."""
