"""The shared chassis: what every service has in common, and no word of the shop."""
