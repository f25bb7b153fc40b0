"""Host memories with an AXI4 port: block RAM, SPRAM, and controllers for SDRAM."""
