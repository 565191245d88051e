"""What dagnb costs, beside the barest loop that does the same and beside its peers."""
