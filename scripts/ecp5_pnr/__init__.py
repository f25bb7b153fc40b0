"""Placement refiner and router for ECP5 designs that nextpnr has placed; see README.md."""
