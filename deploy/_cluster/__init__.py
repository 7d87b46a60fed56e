"""What ``deploy/cluster`` is made of: several machines as network namespaces, what runs on them, and harm."""
