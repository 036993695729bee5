"""Ground floor: money, ids, time, randomness, crypto, redaction. No models, no Django."""
