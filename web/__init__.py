"""What people see: the aiohttp application and its pages."""
