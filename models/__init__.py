"""ONNX files, each with a card."""
