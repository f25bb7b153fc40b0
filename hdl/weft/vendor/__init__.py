"""Vendor primitives, each with a portable equivalent."""
