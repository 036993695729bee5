"""The background worker: puts together the loops of all rooms, the webhook deliverer and django-q2."""
