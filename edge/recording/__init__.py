"""Files that survive: fragmented MP4, Merkle roots, the shelf."""
