"""Do the books agree with the world: statements, daily closes, and what does not match."""
