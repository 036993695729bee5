"""Know your customer: the case that a business makes, what staff find out about it, and what they decide."""
