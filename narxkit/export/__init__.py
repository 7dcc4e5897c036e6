"""Models that leave Python, and come back without running anything."""

from .archive import load, save, summary

__all__ = ["load", "save", "summary"]
