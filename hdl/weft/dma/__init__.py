"""The LOAD and STORE units: two-dimensional copies between host memory and on-chip memory."""
