"""How good labels are, measured against true values or checks: shares with their intervals."""
