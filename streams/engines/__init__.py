"""Engine shells: thin, without a rule of their own; they do not import each other."""
