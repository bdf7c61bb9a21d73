"""Timetables as they come, read into sessions; every row gets a verdict. No loop, no database."""
