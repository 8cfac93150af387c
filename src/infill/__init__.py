"""Infill fills the masked part of a photo."""

__version__ = "0.1.0"
