"""RTSP intake: RTP over TCP, as wake-ups are the cost."""
