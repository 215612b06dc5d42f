"""The endpoints of the local hub, by subject. Each module ends in a list of its routes."""
