"""What comes back: bounces, complaints and readers who leave by mail, read, understood and judged."""
