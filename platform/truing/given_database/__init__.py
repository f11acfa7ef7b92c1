"""The database that DATABASE_URL names."""
