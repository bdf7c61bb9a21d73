"""Looking at pictures: which camera is covered, moved, out of focus, dark or frozen."""
