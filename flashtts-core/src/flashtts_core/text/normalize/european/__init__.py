"""Rules for the languages of Western Europe: English, French, German, Italian and Spanish."""
