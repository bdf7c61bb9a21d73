"""Looking at pictures: empty until the models come."""
