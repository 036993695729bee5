"""A demo shop: what a merchant's own software does with Majuu, in a process of its own and with no part of Majuu in it."""
