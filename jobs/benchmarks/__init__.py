"""What the system does in a second, against something measured in the same run."""
