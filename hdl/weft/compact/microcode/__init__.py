"""The microprogram of the serial engine."""
