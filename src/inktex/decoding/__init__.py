"""Search for the best token sequence; knows no network, only a :class:`~inktex.decoding.stepper.Stepper`."""
