"""What can a member do? One package per capability."""
