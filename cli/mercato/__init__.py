"""The command line of Mercato: the whole system on one machine."""
