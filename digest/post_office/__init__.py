"""What happens to an edition that may go: it becomes deliveries, is sent, and is accounted for."""
