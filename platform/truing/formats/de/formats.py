"""Numbers keep their point: they stand in attributes and in values that programs read, too."""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = "\u202f"
