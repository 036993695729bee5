"""The merchants' own place: what members of a business see and do, each according to their role."""
