"""One box beside the cameras: it records, shows and looks, and needs nobody for it."""
