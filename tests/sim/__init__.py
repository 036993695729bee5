"""Tests of majuu-sim: they need nothing but majuu-sim and pytest."""
