"""Pure data shared by gateware, host software, documentation and the C header.

Configurations, instruction set, register map and link frames. Nothing here imports Amaranth.
"""
