"""What pages show, put together from what the services answer."""
