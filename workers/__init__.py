"""Work that happens later: deliveries, what is due, and who wakes them."""
