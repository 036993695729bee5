"""How often something may be tried: one table of policies, counted by ``limits`` in a moving window.

Counted in Redis when Django's default cache is Redis, so that all processes count together; otherwise every process
counts on its own (``majuu.W040`` says so at ``check --deploy``).
"""
