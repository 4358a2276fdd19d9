"""From what the user asks of a plan to the next plan: names resolved, windows taken apart."""
