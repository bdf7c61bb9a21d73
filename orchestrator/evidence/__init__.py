"""Evidence packages: made here, checked anywhere."""
