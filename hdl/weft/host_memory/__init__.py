"""Host memories behind an AXI4 port: block RAM, SPRAM and SDRAM."""
