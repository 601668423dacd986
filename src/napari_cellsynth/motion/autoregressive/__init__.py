"""How cells move, as an autoregressive process in a subspace: fitted, judged, simulated."""
