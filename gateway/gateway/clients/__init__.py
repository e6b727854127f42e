"""Typed clients of the five services, for pages."""
