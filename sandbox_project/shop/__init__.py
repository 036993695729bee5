"""A demo shop: what a merchant's own software does with Majuu. A process of its own, with no part of Majuu in it."""
