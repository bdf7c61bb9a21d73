"""Making the model: pairs are rendered, a net is fitted to them, and written with its card."""
