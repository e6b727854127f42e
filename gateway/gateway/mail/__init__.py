"""Mail: to files in development, to a server elsewhere."""
