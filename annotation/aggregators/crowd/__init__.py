"""Models of how a crowd answers, in numpy. None knows what is asked: a label is a number."""
