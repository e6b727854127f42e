"""Django and DRF adapters of the chassis."""
