"""Text before it is spoken: tidied, freed of control markers, read as a script, written out and cut into pieces."""
