"""Signing keys, and the tokens that are issued, renewed and withdrawn."""
