"""What every room with tables needs and Django does not have: several writes in one statement, composite foreign keys,
append-only tables, safe claiming of work. Works on PostgreSQL, SQLite and MariaDB. No models."""
