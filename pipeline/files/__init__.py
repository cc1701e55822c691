"""Files on disk in formats of others: JSON, TOML, tables; written whole or not at all."""
