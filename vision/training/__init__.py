"""How the models are made, from nothing but code and pictures."""
