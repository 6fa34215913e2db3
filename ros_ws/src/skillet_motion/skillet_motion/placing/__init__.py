"""Placements: how an object can rest, and where there is room for it."""
