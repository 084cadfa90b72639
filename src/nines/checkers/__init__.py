"""Pure judgements over histories, and the statistics behind them."""
