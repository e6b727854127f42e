"""The category tree of the catalogue."""
