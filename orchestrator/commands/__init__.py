"""Commands of `xunkao`, each a typer application of its own."""
