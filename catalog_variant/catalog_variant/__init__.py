"""What can be bought of a product: options, variants with their prices, and stock."""
