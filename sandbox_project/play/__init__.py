"""The demo: starts everything, plays one payment, and watches each step of it."""
