"""People's rights over their data: what is known about them, exported and erased; and what holds that up."""
