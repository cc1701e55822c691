"""What an audit asks for: audit.toml as frozen, validated models."""
