"""The demo shop: what stands on its shelves, and the API client that puts it there."""
