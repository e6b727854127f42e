"""The gateway: the edge that forwards, and the web that signs."""
