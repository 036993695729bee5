"""Who may do what: every route, called by everybody."""
