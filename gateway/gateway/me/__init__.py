"""What API clients learn about their own account, and change of it."""
