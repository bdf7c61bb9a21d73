"""Timetable files in, exam sessions out; pure."""
