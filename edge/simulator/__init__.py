"""Cameras that are not there: drawn exam rooms over RTSP."""
