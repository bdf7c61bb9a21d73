"""From what is wrong to somebody who deals with it."""
