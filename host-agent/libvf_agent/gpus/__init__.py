"""What can be cut on this host and what is: a list for people, beside what is published."""
